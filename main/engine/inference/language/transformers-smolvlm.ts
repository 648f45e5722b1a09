/** SmolVLM through Transformers.js: free questions in a conversation about one photo, and captions by asking for one. */
import { AutoTokenizer, env, Tensor } from '@huggingface/transformers';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../../errors.ts';
import { pixelTables, toPlanes } from '../pixel-planes.ts';
import { resampleLikePillow, type RgbImage } from '../pillow-resample.ts';
import type { AdapterOptions, Hooks, LanguagePicture, OpenAdapter, Written } from './adapter.ts';
import { cancelled, nextTurn } from './token-steps.ts';
import { idTensor, onesTensor, openHubModel, type HubModel } from './transformers-model.ts';
import { beginHubRun } from './transformers-run.ts';
import type { LanguagePack } from '../../packs/types.ts';
import type { Turn } from './types.ts';
import { longestText, openWords, refuseTooLong } from './words.ts';
import { writeText } from './write-tokens.ts';

/** As its card runs it (HuggingFaceTB/SmolVLM-256M-Instruct), which allows 500 tokens. */
const habits = { maxNewTokens: 500, beams: 1, noRepeatNgram: 0, earlyStopping: false };
/** Turns beyond these are forgotten, the oldest first, so that picture and question always fit. */
const rememberedTurns = 6;
const captionRequest = 'Describe this photo in one sentence.';

/** Tokens that Idefics3Processor puts around a picture. */
const around = '<fake_token_around_image>';
const whole = '<global-img>';
const place = '<image>';

interface Seen {
  readonly picture: LanguagePicture;
  readonly rows: number;
  readonly columns: number;
  /** Features (places, dims) of every square, row by row, then of the whole picture. */
  readonly features: Float32Array;
  /** Of each square. */
  readonly places: number;
}

export const openSmolVlm: OpenAdapter = async (pack, options) => {
  const [words, { model, generation, imageToken }, chat, tile] = await Promise.all([
    openWords(pack),
    openHubModel(pack, options.threads, habits),
    openChat(pack),
    tileOf(pack),
  ]);
  if (imageToken === null)
    throw new AppError(
      'pack-invalid',
      `The config.json of "${pack.name}" names no image token. Install the pack again.`,
    );
  let last: Seen | undefined;

  const write = async (
    picture: LanguagePicture,
    messages: readonly Message[],
    begun: string,
    hooks: Hooks,
  ): Promise<Written> => {
    if (last === undefined || !samePixels(last.picture, picture))
      last = await look(model, picture, tile, options, hooks);
    const seen = last;
    const asked = chat(messages).replace(place, () => pictureText(seen));
    const ids = words.bareIds(begun === '' ? asked : `${asked} ${begun}`);
    const embeds = await embedded(model, ids, imageToken, seen, pack);
    await nextTurn();
    if (hooks.shouldStop()) throw cancelled();
    const textOf = (written: readonly number[]): string =>
      `${begun}${begun === '' ? words.text(written) : rawText(words.text(written))}`.trim();
    return writeText(
      {
        run: beginHubRun(model, ({ ids: fed, rows, before }) => ({
          ...(before === 0 ? { inputs_embeds: embeds } : { input_ids: fed }),
          attention_mask: onesTensor([rows, before + (fed.dims[1] ?? 0)]),
        })),
        prompt: ids,
        end: generation.end,
        generation,
      },
      textOf,
      hooks,
    );
  };
  const refuse = (what: 'question' | 'prompt', text: string): void => {
    refuseTooLong(what, text, {
      characters: longestText(pack),
      most: pack.maxLength,
      tokens: (part) => words.bareIds(part).length,
    });
  };

  return {
    caption(picture, prompt, hooks) {
      refuse('prompt', prompt);
      return write(picture, conversation([], captionRequest), prompt, hooks);
    },
    async answer(picture, question, turns, hooks) {
      refuse('question', question);
      const written = await write(picture, conversation(turns, question), '', hooks);
      const probability = Math.min(1, Math.exp(written.logProbability));
      return { ...written, answers: [{ answer: written.text, probability }] };
    },
  };
};

/** What goes on from words keeps the space before it. */
function rawText(found: string): string {
  return found === '' || /^\p{P}/u.test(found) ? found : ` ${found}`;
}

interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: readonly (
    { readonly type: 'image' } | { readonly type: 'text'; readonly text: string }
  )[];
}

/** The picture stands at the head of the first question. */
function conversation(turns: readonly Turn[], question: string): Message[] {
  const said = turns.slice(-rememberedTurns).flatMap((turn): Message[] => [
    { role: 'user', content: [{ type: 'text', text: plain(turn.question) }] },
    { role: 'assistant', content: [{ type: 'text', text: plain(turn.answer) }] },
  ]);
  const all: Message[] = [...said, { role: 'user', content: [{ type: 'text', text: plain(question) }] }];
  return all.map((message, i) =>
    i === 0 ? { ...message, content: [{ type: 'image' }, ...message.content] } : message,
  );
}

/** Words of a person or a model never become control tokens. */
function plain(text: string): string {
  return text.replaceAll('<', '‹').replaceAll('>', '›');
}

/** As Idefics3Processor writes it: a line of squares for each row, then the whole picture. */
function pictureText({ rows, columns, places }: Seen): string {
  const square = place.repeat(places);
  const line = (row: number): string =>
    Array.from(
      { length: columns },
      (_, column) => `${around}<row_${String(row + 1)}_col_${String(column + 1)}>${square}`,
    ).join('');
  const lines = Array.from({ length: rows }, (_, row) => `${line(row)}\n`).join('');
  return `${lines}${rows === 0 ? '' : '\n'}${around}${whole}${square}${around}`;
}

/** The squares are looked at one by one: all at once would need a gigabyte, and a cancel is heard in between. */
async function look(
  model: HubModel,
  picture: LanguagePicture,
  tile: number,
  { normalise }: Pick<AdapterOptions, 'normalise'>,
  { shouldStop }: Hooks,
): Promise<Seen> {
  const image: RgbImage = { data: picture.pixels, width: picture.width, height: picture.height };
  const single = image.width <= tile && image.height <= tile;
  const rows = single ? 0 : Math.ceil(image.height / tile);
  const columns = single ? 0 : Math.ceil(image.width / tile);
  const squares = Array.from({ length: rows * columns }, (_, i) =>
    cut(image, (i % columns) * tile, Math.floor(i / columns) * tile, tile),
  );
  squares.push(single ? image : resampleLikePillow(image, tile, tile, 1));
  const tables = pixelTables(normalise);
  const found: Float32Array[] = [];
  let places = 0;
  for (const square of squares) {
    await nextTurn();
    if (shouldStop()) throw cancelled();
    const { data, width, height } = square;
    const pixels = toPlanes(data, 1, width * height, tables);
    const mask = new Uint8Array(width * height).fill(1);
    const features = await model.encode_image({
      pixel_values: new Tensor('float32', pixels, [1, 1, 3, height, width]),
      pixel_attention_mask: new Tensor('bool', mask, [1, 1, height, width]),
    });
    const values = features.to('float32').data;
    if (!(values instanceof Float32Array)) throw new AppError('internal', 'Features are not numbers.');
    places = values.length / (features.dims.at(-1) ?? 1);
    found.push(values);
  }
  const features = new Float32Array(found.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const values of found) {
    features.set(values, at);
    at += values.length;
  }
  return { picture, rows, columns, features, places };
}

function cut({ data, width }: RgbImage, left: number, top: number, side: number): RgbImage {
  const square = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    const from = ((top + y) * width + left) * 3;
    square.set(data.subarray(from, from + side * 3), y * side * 3);
  }
  return { data: square, width: side, height: side };
}

/** Text embeddings (1, T, dims) with the picture's features in the places kept for them. */
async function embedded(
  model: HubModel,
  ids: readonly number[],
  imageToken: number,
  { features }: Seen,
  pack: LanguagePack,
): Promise<Tensor> {
  const text = (await model.encode_text({ input_ids: idTensor(ids) })).to('float32');
  if (!(text.data instanceof Float32Array)) throw new AppError('internal', 'Embeddings are not numbers.');
  const dims = text.dims.at(-1) ?? 1;
  let from = 0;
  for (const [i, id] of ids.entries()) {
    if (id !== imageToken) continue;
    text.data.set(features.subarray(from, from + dims), i * dims);
    from += dims;
  }
  if (from !== features.length) {
    throw new AppError(
      'pack-invalid',
      `The tokenizer of "${pack.name}" keeps ${String(from / dims)} places for the picture, and its vision model fills ${String(features.length / dims)}. Install the pack again.`,
      { details: { pack: pack.id } },
    );
  }
  return text;
}

/** The turns that every SmolVLM was trained on, for exports that leave the template out. */
const familyTemplate = [
  '<|im_start|>{% for message in messages %}{{ message["role"] | capitalize }}',
  '{% if message["content"][0]["type"] == "image" %}:{% else %}: {% endif %}',
  '{% for part in message["content"] %}{% if part["type"] == "image" %}<image>{% else %}{{ part["text"] }}{% endif %}{% endfor %}',
  '<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}Assistant:{% endif %}',
].join('');

const templateFile = z.object({ chat_template: z.string() });

/** @returns messages as the text that the model was trained on, with the opening of its answer. */
async function openChat(pack: LanguagePack): Promise<(messages: readonly Message[]) => string> {
  env.allowRemoteModels = false;
  const tokenizer = await AutoTokenizer.from_pretrained(pack.dir, { local_files_only: true });
  const template = await readTemplate(pack);
  return (messages) => {
    const text: unknown = tokenizer.apply_chat_template(
      messages as unknown as Parameters<typeof tokenizer.apply_chat_template>[0],
      { tokenize: false, add_generation_prompt: true, chat_template: template },
    );
    if (typeof text !== 'string') throw new AppError('internal', 'A chat template gave no text.');
    return text;
  };
}

/** It lies in a file of its own, or in the tokenizer's config, or is the family's. */
async function readTemplate(pack: LanguagePack): Promise<string> {
  if (pack.files['chat_template.jinja'] !== undefined)
    return readFile(join(pack.dir, 'chat_template.jinja'), 'utf8');
  for (const file of ['chat_template.json', 'tokenizer_config.json']) {
    if (pack.files[file] === undefined) continue;
    const found = templateFile.safeParse(JSON.parse(await readFile(join(pack.dir, file), 'utf8')));
    if (found.success) return found.data.chat_template;
  }
  return familyTemplate;
}

const tileFile = z.object({ max_image_size: z.object({ longest_edge: z.int().positive() }) });

/** Side of the squares that its vision model takes, in px. */
async function tileOf(pack: LanguagePack): Promise<number> {
  const resize = pack.imageSpec?.resize;
  if (resize != null && 'tile' in resize) return resize.tile;
  const content: unknown = JSON.parse(await readFile(join(pack.dir, 'preprocessor_config.json'), 'utf8'));
  const found = tileFile.safeParse(content);
  if (found.success) return found.data.max_image_size.longest_edge;
  throw new AppError(
    'pack-invalid',
    `The preprocessor_config.json of "${pack.name}" does not say how pictures are cut. Install the pack again.`,
    { details: { pack: pack.id } },
  );
}

function samePixels(a: LanguagePicture, b: LanguagePicture): boolean {
  return a.width === b.width && a.height === b.height && Buffer.compare(a.pixels, b.pixels) === 0;
}
