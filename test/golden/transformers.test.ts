/**
 * ViT-GPT2, Florence-2 and SmolVLM through Transformers.js against Hugging Face transformers on PyTorch: small random
 * checkpoints of the true architecture, made by models/export (`tiny`). Tokens, words and mean log-probabilities.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { z } from 'zod';
import { AppError } from '../../main/errors.ts';
import { decodeImage } from '../../main/engine/inference/decode-image.ts';
import { defaultMaxPixels, defaultTimeoutMs } from '../../main/engine/inference/decode-job.ts';
import type { Adapter, LanguagePicture } from '../../main/engine/inference/language/adapter.ts';
import { openAdapter } from '../../main/engine/inference/language/adapters.ts';
import { languagePack, readPack } from '../../main/engine/packs/pack.ts';
import type { LanguagePack } from '../../main/engine/packs/types.ts';

const goldenShape = z.object({
  cases: z.array(
    z.object({
      file: z.string(),
      prompt: z.string().default(''),
      question: z.string().optional(),
      turns: z.array(z.object({ question: z.string(), answer: z.string() })).default([]),
      /** Generated, the end token included. */
      ids: z.array(z.int()),
      text: z.string(),
      logProbability: z.number(),
    }),
  ),
});
/** What float32 in another order of summing explains. */
const tolerance = 1e-3;

interface Opened {
  readonly pack: LanguagePack;
  readonly adapter: Adapter;
  readonly cases: z.output<typeof goldenShape>['cases'];
  readonly picture: (file: string) => Promise<LanguagePicture>;
}

async function open(name: string): Promise<Opened> {
  const dir = join(import.meta.dirname, name);
  const pack = languagePack(await readPack(dir));
  const spec = pack.imageSpec;
  assert.ok(spec !== null);
  const { rescale, mean, std } = spec;
  return {
    pack,
    adapter: await openAdapter(pack, {
      threads: 1,
      imageTower: null,
      normalise: { rescale, mean, std },
      cache: true,
    }),
    cases: goldenShape.parse(JSON.parse(await readFile(join(dir, 'golden.json'), 'utf8'))).cases,
    async picture(file) {
      const photo = await decodeImage({
        source: { path: join(dir, file) },
        spec,
        thumbnail: false,
        maxPixels: defaultMaxPixels,
        timeoutMs: defaultTimeoutMs,
      });
      return { pixels: photo.pixels, width: photo.pixelWidth, height: photo.pixelHeight };
    },
  };
}

for (const [name, end] of [
  ['vit-gpt2-tiny', 0],
  ['florence2-tiny', 2],
  ['smolvlm-tiny', 1],
] as const) {
  test(`${name}: words about pictures are the reference’s`, async (context) => {
    const { adapter, cases, picture } = await open(name);
    const texts = new Set<string>();
    for (const { file, prompt, question, turns, ids, text, logProbability } of cases) {
      const seen = await picture(file);
      const heard: string[] = [];
      const hooks = { onText: (so: string) => heard.push(so), shouldStop: () => false };
      const written =
        question === undefined
          ? await adapter.caption?.(seen, prompt, hooks)
          : await adapter.answer?.(seen, question, turns, hooks);
      assert.ok(written !== undefined, file);
      assert.deepEqual(
        written.ids,
        ids.filter((id) => id !== end),
        file,
      );
      assert.equal(written.text, text, file);
      const difference = Math.abs(written.logProbability - logProbability);
      context.diagnostic(`${file}: log-probability differs by ${difference.toExponential(1)}`);
      assert.ok(difference < tolerance, file);
      assert.ok(heard.length > 0, 'nothing was streamed');
      texts.add(text);
    }
    // Different pictures and questions must not all give the same words, or nothing would have been compared.
    assert.equal(texts.size, cases.length);
  });

  test(`${name}: a cancelled request stops before its next token`, async () => {
    const { adapter, cases, picture } = await open(name);
    const seen = await picture(cases[0]?.file ?? '');
    let heard = 0;
    const hooks = { onText: () => heard++, shouldStop: () => heard === 2 };
    await assert.rejects(
      async () => adapter.caption?.(seen, '', hooks),
      (thrown) => thrown instanceof AppError && thrown.code === 'cancelled',
    );
    assert.equal(heard, 2);
    // And is ready for the next one.
    const again = await adapter.caption?.(seen, '', { onText: () => undefined, shouldStop: () => false });
    assert.ok(again !== undefined && again.ids.length > 0);
  });
}
