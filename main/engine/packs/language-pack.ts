/** From the pack.json of a pack that writes to its description. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { readImageSpec } from './image-spec.ts';
import type { LanguageJson } from './language-json.ts';
import { commonFields, refuseUnlisted } from './pack-fields.ts';
import { parseJson } from './parse-json.ts';
import type { LanguageFamily, LanguagePack, LanguageTask } from './types.ts';

interface FamilyRules {
  readonly tasks: readonly LanguageTask[];
  /** Parts of pack.json that the family's adapter runs. */
  readonly parts: readonly ('imageTower' | 'encoder' | 'vision' | 'question' | 'decoder' | 'classifier')[];
  /** Roles that `tokens` must name. */
  readonly tokens: readonly string[];
  /** Tokens of a question or prompt where pack.json doesn't say. */
  readonly maxLength: number;
}

/** BLIP's and ViLT's limits are the position embeddings of the published checkpoints. */
const families: Readonly<Record<LanguageFamily, FamilyRules>> = {
  'starter-captioner': {
    tasks: ['caption'],
    parts: ['imageTower', 'encoder', 'decoder'],
    tokens: ['bos', 'eos'],
    maxLength: 24,
  },
  'starter-answerer': { tasks: ['answer'], parts: ['imageTower', 'classifier'], tokens: [], maxLength: 24 },
  'blip-caption': {
    tasks: ['caption'],
    parts: ['encoder', 'decoder'],
    tokens: ['bos', 'eos'],
    maxLength: 512,
  },
  'blip-vqa': {
    tasks: ['answer'],
    parts: ['vision', 'question', 'decoder'],
    tokens: ['bos', 'eos'],
    maxLength: 512,
  },
  vilt: { tasks: ['answer'], parts: ['classifier'], tokens: [], maxLength: 40 },
  'vit-gpt2': { tasks: ['caption'], parts: [], tokens: [], maxLength: 1_024 },
  florence2: { tasks: ['caption'], parts: [], tokens: [], maxLength: 1_024 },
  smolvlm: { tasks: ['caption', 'answer'], parts: [], tokens: [], maxLength: 2_048 },
};

/** What transformers does where nothing is said; its length limit of 20 would cut captions. */
const generationDefaults = {
  maxNewTokens: 50,
  beams: 1,
  lengthPenalty: 1,
  repetitionPenalty: 1,
  noRepeatNgram: 0,
};

const answerList = z.union([
  z.array(z.string()).min(1),
  z.object({ id2label: z.record(z.string().regex(/^\d+$/), z.string()) }).transform(({ id2label }) =>
    Object.keys(id2label)
      .map(Number)
      .sort((a, b) => a - b)
      .map((id) => id2label[String(id)] ?? ''),
  ),
]);

/** @throws AppError pack-invalid naming what is missing or doesn't fit */
export async function describeLanguagePack(dir: string, json: LanguageJson): Promise<LanguagePack> {
  const rules = families[json.family];
  refuseMisfits(dir, json, rules);
  const file = (path: string): string => join(dir, ...path.split('/'));
  const listed = (path: string): string | null => (json.files[path] === undefined ? null : file(path));
  const { decoder, classifier, imageTower } = json;
  const generation = {
    ...(json.generation ?? generationDefaults),
    sampling: json.generation?.sampling ?? null,
    // Ours is measured with short texts preferred; transformers' default is to go on.
    earlyStopping: json.generation?.earlyStopping ?? json.family === 'starter-captioner',
  };
  const positions =
    decoder?.maxLength ??
    (json.family === 'starter-captioner' ? generation.maxNewTokens + 1 : rules.maxLength);
  return {
    kind: 'language',
    ...commonFields(dir, json),
    tasks: json.tasks,
    family: json.family,
    fingerprint: fingerprint(json),
    imageSpec: imageTower == null ? await readImageSpec(dir, json.family) : null,
    imageTower: imageTower ?? null,
    encoder: json.encoder == null ? null : file(json.encoder.file),
    vision: json.vision == null ? null : file(json.vision.file),
    question: json.question == null ? null : file(json.question.file),
    decoder: decoder == null ? null : { ...decoder, file: file(decoder.file), maxLength: positions },
    classifier:
      classifier == null
        ? null
        : {
            file: file(classifier.file),
            answers: await readAnswers(dir, classifier.answers),
            temperature: json.temperature,
          },
    maxLength: json.maxLength ?? classifier?.maxLength ?? rules.maxLength,
    tokens: json.tokens,
    generation,
    confidence: json.confidence ?? null,
    golden: json.golden.map((example) => ({
      file: file(example.file),
      prompt: example.prompt ?? null,
      question: example.question ?? null,
      text: example.text,
      ids: example.ids ?? null,
      confidence: example.confidence ?? null,
    })),
    tokenizer: listed('tokenizer.json'),
    tokenizerConfig: listed('tokenizer_config.json'),
  };
}

function refuseMisfits(dir: string, json: LanguageJson, rules: FamilyRules): void {
  const refuse = (what: string): never => {
    throw new AppError(
      'pack-invalid',
      `The pack.json of "${basename(dir)}" ${what}. Install the pack again.`,
      {
        details: { pack: basename(dir) },
      },
    );
  };
  const task = json.tasks.find((name) => !rules.tasks.includes(name));
  if (task !== undefined) refuse(`says that a ${json.family} model can ${task}, which it cannot`);
  const part = rules.parts.find((name) => json[name] == null);
  if (part !== undefined) refuse(`lacks "${part}", which ${json.family} models have`);
  const token = rules.tokens.find((name) => json.tokens[name] === undefined);
  if (token !== undefined) refuse(`lacks "tokens.${token}"`);
  if (rules.parts.includes('decoder') && json.generation == null) refuse('lacks "generation"');
  refuseUnlisted(dir, json, [
    ...(['encoder', 'vision', 'question', 'decoder', 'classifier'] as const).flatMap(
      (name) => json[name]?.file ?? [],
    ),
    ...(json.classifier == null ? [] : [json.classifier.answers]),
    ...(json.imageTower == null ? ['preprocessor_config.json'] : []),
    'tokenizer.json',
  ]);
}

async function readAnswers(dir: string, path: string): Promise<string[]> {
  const about = `${path} of "${basename(dir)}"`;
  let content: string;
  try {
    content = await readFile(join(dir, ...path.split('/')), 'utf8');
  } catch (thrown) {
    throw new AppError('pack-invalid', `The ${about} cannot be read. Install the pack again.`, {
      cause: thrown,
    });
  }
  return parseJson(answerList, content, about);
}

/** Examples and texts about the pack may change without making its words stale; everything else decides them. */
function fingerprint(json: LanguageJson): string {
  const deciding = Object.entries(json.files)
    .filter(([path]) => !/^golden\/|\.(md|txt)$|^LICEN[CS]E/i.test(path))
    .map(([path, { sha256 }]) => [path, sha256])
    .sort();
  const {
    imageTower,
    encoder,
    vision,
    question,
    decoder,
    classifier,
    maxLength,
    tokens,
    generation,
    confidence,
    temperature,
  } = json;
  const content = JSON.stringify({
    family: json.family,
    deciding,
    imageTower,
    parts: { encoder, vision, question, decoder, classifier },
    maxLength,
    tokens,
    generation,
    confidence,
    temperature,
  });
  return createHash('sha256').update(content).digest('hex').slice(0, 32);
}
