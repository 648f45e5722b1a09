/** Captioned photos become tokens by the shipped pack: parts of pictures, word pieces, and what a lesser pack is used like. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { createDecoder } from '../../../../main/engine/inference/decoder.ts';
import { loadEmbedder, type LoadedEmbedder } from '../../../../main/engine/inference/embedder.ts';
import { createNodeSpawner } from '../../../../main/engine/inference/node-spawner.ts';
import type { Decoder, Embedder } from '../../../../main/engine/inference/types.ts';
import { silentLog } from '../../../../main/engine/log.ts';
import { readEmbedPack } from '../../../../main/engine/packs/pack.ts';
import { readTokens, type CaptionedPhoto } from '../../../../main/engine/tune/lab/read-tokens.ts';

const starter = join(import.meta.dirname, '../../../../models/starter');
const spawn = createNodeSpawner({ log: silentLog });
const photos: CaptionedPhoto[] = [
  { source: { path: join(starter, 'golden/1.png') }, captions: ['a gradient', 'all colours at once'] },
  { source: { path: join(starter, 'pack.json') }, captions: ['no photo'] },
  { source: { path: join(starter, 'golden/2.png') }, captions: ['a house'] },
];

let decoder: Decoder;
let embedder: LoadedEmbedder;
before(async () => {
  decoder = createDecoder({ spawn, log: silentLog });
  embedder = await loadEmbedder({
    pack: await readEmbedPack(starter),
    spawn,
    log: silentLog,
    now: () => 1_700_000_000_000,
    provider: 'cpu',
  });
});
after(async () => {
  await Promise.all([decoder.close(), embedder.close()]);
});

test('the shipped pack gives 36 tokens a photo and one for each word piece; what cannot be read is left out', async () => {
  const skipped: number[] = [];
  const { tokens, read, photoOf } = await readTokens(photos, ['besides'], {
    embedder,
    decoder,
    onSkipped: (place) => skipped.push(place),
  });
  assert.deepEqual([read, photoOf, skipped], [[0, 2], [0, 0, 1], [1]]);
  assert.equal(tokens.imageTokens, 36);
  assert.equal(tokens.images.length, 2 * 36 * 256);
  // The mean of a photo's parts is its embedding.
  const mean = new Float64Array(256);
  tokens.images.subarray(0, 36 * 256).forEach((value, i) => {
    mean[i % 256] = mean[i % 256]! + value / 36;
  });
  const { pixels, pixelWidth, pixelHeight } = await decoder.decode(photos[0]!.source, {
    spec: embedder.imageSpec,
    thumbnail: false,
  });
  const [whole] = await embedder.embedImages([{ pixels, width: pixelWidth, height: pixelHeight }]);
  const length = Math.hypot(...mean);
  assert.ok(mean.reduce((sum, value, i) => sum + (value / length) * whole![i]!, 0) > 0.999);
  assert.equal(tokens.mask.length, 4 * tokens.textTokens);
  assert.ok(tokens.mask.subarray(0, 4).every((one) => one === 1));
});

test('a pack without parts and word pieces gives one token a photo, and each word by itself', async () => {
  const kept = Object.entries(embedder).filter(([name]) => name !== 'patches' && name !== 'embedTokens');
  const lesser = Object.fromEntries(kept) as unknown as Embedder;
  const { tokens } = await readTokens(photos, ['one two  three'], { embedder: lesser, decoder });
  assert.equal(tokens.imageTokens, 1);
  assert.equal(tokens.textTokens, 4);
  const last = tokens.mask.subarray(3 * 4);
  assert.deepEqual([...last], [1, 1, 1, 0]);
  const [word] = await embedder.embedTexts(['two']);
  assert.deepEqual(tokens.texts.slice((3 * 4 + 1) * 256, (3 * 4 + 2) * 256), word);
});

test('a stop is heard while photos are read', async () => {
  const stop = new AbortController();
  await assert.rejects(
    readTokens([...photos, ...photos, ...photos], [], {
      embedder,
      decoder,
      signal: stop.signal,
      onProgress: () => {
        stop.abort();
      },
    }),
    { code: 'cancelled' },
  );
});
