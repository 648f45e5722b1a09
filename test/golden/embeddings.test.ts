/**
 * The whole way from a photo and a text to a unit vector against Hugging Face transformers: small random CLIP, SigLIP
 * and SigLIP 2 checkpoints, exported to ONNX, with the reference's token ids and embeddings (make_golden.py).
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { z } from 'zod';
import { createDecoder } from '../../main/engine/inference/decoder.ts';
import { loadEmbedder } from '../../main/engine/inference/embedder.ts';
import { createNodeSpawner } from '../../main/engine/inference/node-spawner.ts';
import { openTokenizer } from '../../main/engine/inference/text-tokenizer.ts';
import { cosine } from '../../main/engine/inference/unit-vectors.ts';
import { silentLog } from '../../main/engine/log.ts';
import { readEmbedPack } from '../../main/engine/packs/pack.ts';

const expectedShape = z.object({
  images: z.array(z.object({ file: z.string(), embedding: z.array(z.number()) })),
  texts: z.array(z.object({ text: z.string(), ids: z.array(z.number()), embedding: z.array(z.number()) })),
});
const spawn = createNodeSpawner({ log: silentLog });

for (const [name, family] of [
  ['clip-tiny', 'clip'],
  ['clip-tiny-combined', 'clip'],
  ['siglip-tiny', 'siglip'],
  ['siglip2-tiny', 'siglip2'],
] as const) {
  test(`${name}: token ids and embeddings are the reference's`, async (context) => {
    const dir = join(import.meta.dirname, name);
    const expected = expectedShape.parse(JSON.parse(await readFile(join(dir, 'expected.json'), 'utf8')));
    const pack = await readEmbedPack(dir);
    assert.equal(pack.family, family);

    const tokenizer = await openTokenizer(pack.text, pack.name);
    for (const { text, ids } of expected.texts) assert.deepEqual(tokenizer.ids(text), ids, text);

    const decoder = createDecoder({ spawn, log: silentLog, concurrency: 1 });
    const embedder = await loadEmbedder({
      pack,
      spawn,
      log: silentLog,
      now: () => 0,
      provider: 'cpu',
    });
    try {
      const photos = await Promise.all(
        expected.images.map(({ file }) =>
          decoder.decode({ path: join(dir, file) }, { spec: pack.imageSpec, thumbnail: false }),
        ),
      );
      const images = await embedder.embedImages(
        photos.map(({ pixels, pixelWidth, pixelHeight }) => ({
          pixels,
          width: pixelWidth,
          height: pixelHeight,
        })),
      );
      const texts = await embedder.embedTexts(expected.texts.map(({ text }) => text));
      let least = 1;
      for (const [i, { file, embedding }] of expected.images.entries()) {
        const agreement = cosine(images[i] ?? [], embedding);
        least = Math.min(least, agreement);
        assert.ok(agreement > 0.999, `${file}: ${String(agreement)}`);
      }
      for (const [i, { text, embedding }] of expected.texts.entries()) {
        const agreement = cosine(texts[i] ?? [], embedding);
        least = Math.min(least, agreement);
        assert.ok(agreement > 0.999, `${text}: ${String(agreement)}`);
      }
      context.diagnostic(`smallest cosine ${least.toFixed(6)}`);
      // Different inputs must not all map to one direction, or the comparison above would prove nothing.
      assert.ok(cosine(images[0] ?? [], images[1] ?? []) < 0.999);
      assert.ok(cosine(texts[0] ?? [], texts[1] ?? []) < 0.999);
    } finally {
      await Promise.all([decoder.close(), embedder.close()]);
    }
  });
}
