/** Where in a photo the words are, with the pack that ships, on drawn scenes. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import sharp from 'sharp';
import { AppError } from '../../../main/errors.ts';
import { createDecoder } from '../../../main/engine/inference/decoder.ts';
import { loadEmbedder, type LoadedEmbedder } from '../../../main/engine/inference/embedder.ts';
import { createNodeSpawner } from '../../../main/engine/inference/node-spawner.ts';
import type { DecodedPhoto, Decoder, Embedder } from '../../../main/engine/inference/types.ts';
import { cosine } from '../../../main/engine/inference/unit-vectors.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { readEmbedPack } from '../../../main/engine/packs/pack.ts';
import type { EmbedPack } from '../../../main/engine/packs/types.ts';
import { calibrate, textPrior } from '../../../main/engine/search/calibrate.ts';
import { heatOf, seenWindow } from '../../../main/engine/search/heat.ts';

let pack: EmbedPack;
let embedder: LoadedEmbedder;
let decoder: Decoder;
before(async () => {
  const spawn = createNodeSpawner({ log: silentLog });
  pack = await readEmbedPack(join(import.meta.dirname, '../../../models/starter'));
  embedder = await loadEmbedder({ pack, spawn, log: silentLog, now: () => 0, provider: 'cpu' });
  decoder = createDecoder({ spawn, log: silentLog });
});
after(async () => {
  await Promise.all([embedder.close(), decoder.close()]);
});

const side = 480;
/** A meadow under the sky, with a sunflower unless x is null. */
async function meadow(x: number | null): Promise<DecodedPhoto> {
  const petals = Array.from(
    { length: 14 },
    (_, i) =>
      `<ellipse cx="${x}" cy="180" rx="18" ry="55" fill="#f5c518" transform="rotate(${(i * 360) / 14} ${x} 250)"/>`,
  ).join('');
  const flower = x === null ? '' : `${petals}<circle cx="${x}" cy="250" r="42" fill="#5a3412"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">
    <rect width="${side}" height="${side}" fill="#9cc8ee"/>
    <rect y="${side / 2}" width="${side}" height="${side / 2}" fill="#4d8b3a"/>${flower}</svg>`;
  const bytes = await sharp(Buffer.from(svg)).png().toBuffer();
  return decoder.decode({ bytes, name: 'meadow.png' }, { spec: embedder.imageSpec, thumbnail: false });
}

/** Without a library the pack's own figures say what is likely. */
const thresholds = () =>
  calibrate({ sample: new Float32Array(), head: new Float32Array(), size: 0 }, textPrior(pack.scoring), null);

async function scoreOf(photo: DecodedPhoto, text: Float32Array): Promise<number> {
  const [seen] = await embedder.embedImages([
    { pixels: photo.pixels, width: photo.pixelWidth, height: photo.pixelHeight },
  ]);
  return cosine(seen!, text);
}

async function heat(
  x: number | null,
  words: string,
  side: Pick<Embedder, 'patches' | 'embedImages' | 'imageSpec' | 'batchSize'> = embedder,
): Promise<{ left: number; right: number; most: number; method: string }> {
  const photo = await meadow(x);
  const text = await embedder.embedQuery(words);
  const found = await heatOf(photo, {
    text,
    thresholds: thresholds(),
    score: await scoreOf(photo, text),
    embedder: side,
    signal: undefined,
  });
  assert.equal(found.values.length, found.rows * found.columns);
  assert.ok(found.values.every((value) => value >= 0 && value <= 1));
  let [left, right] = [0, 0];
  found.values.forEach((value, i) => {
    const column = i % found.columns;
    if (column < (found.columns - 1) / 2) left += value;
    if (column > (found.columns - 1) / 2) right += value;
  });
  return { left, right, most: Math.max(...found.values), method: found.method };
}

function withoutPatches(): Pick<Embedder, 'embedImages' | 'imageSpec' | 'batchSize'> {
  const { imageSpec, batchSize } = embedder;
  return { imageSpec, batchSize, embedImages: (images) => embedder.embedImages(images) };
}

test('the hot spot is where the flower is, by patch embeddings', async () => {
  const left = await heat(120, 'sunflower');
  const right = await heat(360, 'sunflower');
  assert.equal(left.method, 'patches');
  assert.ok(left.left > 5 * left.right && left.most > 0.5, JSON.stringify(left));
  assert.ok(right.right > 5 * right.left && right.most > 0.5, JSON.stringify(right));
});

test('a photo that does not show it has no hot spot', async () => {
  assert.ok((await heat(120, 'dog')).most < 0.1);
  assert.ok((await heat(null, 'sunflower')).most < 0.1);
});

test('in a photo that is likely as a whole something is hot, however faint its parts are', async () => {
  const { pixels, pixelWidth, pixelHeight, ...photo } = await meadow(120);
  const text = await embedder.embedQuery('sunflower');
  const cells = await embedder.patches!.embed({ pixels, width: pixelWidth, height: pixelHeight });
  // Each part shows as much less of the words as lies between likely and the background.
  const less = thresholds().likelyAt - thresholds().background.mean;
  const faint = cells.slice();
  for (let from = 0; from < faint.length; from += text.length) {
    const cell = faint.subarray(from, from + text.length);
    const length = Math.hypot(...cell);
    cell.forEach((value, i) => (cell[i] = value / length - less * text[i]!));
  }
  const patches = { ...embedder.patches!, embed: () => Promise.resolve(faint) };
  const most = async (score: number): Promise<number> => {
    const { values } = await heatOf(
      { pixels, pixelWidth, pixelHeight, ...photo },
      {
        text,
        thresholds: thresholds(),
        score,
        embedder: { ...withoutPatches(), patches },
        signal: undefined,
      },
    );
    return Math.max(...values);
  };
  assert.equal(await most(thresholds().likelyAt), 1);
  assert.ok((await most(thresholds().background.mean)) < 0.5);
});

test('packs without patch embeddings are asked with parts of the picture covered', async () => {
  const whole = withoutPatches();
  const left = await heat(120, 'sunflower', whole);
  const right = await heat(360, 'sunflower', whole);
  assert.equal(left.method, 'occlusion');
  assert.ok(left.left > 2 * left.right && left.most > 0.3, JSON.stringify(left));
  assert.ok(right.right > 2 * right.left && right.most > 0.3, JSON.stringify(right));
  assert.ok((await heat(120, 'dog', whole)).most < 0.1);
});

test('a pack that promises patch embeddings and has none is asked so, too', async () => {
  const unfit = () => Promise.reject(new AppError('pack-invalid', 'There is no such output.'));
  const patches = { columns: 6, rows: 6, embed: unfit };
  const found = await heat(120, 'sunflower', { ...withoutPatches(), patches });
  assert.equal(found.method, 'occlusion');
});

test('giving up ends it after the batch in flight', async () => {
  const gaveUp = new AbortController();
  let batches = 0;
  const photo = await meadow(120);
  const slow = {
    imageSpec: embedder.imageSpec,
    batchSize: 4,
    embedImages: (images: Parameters<Embedder['embedImages']>[0]) => {
      batches += 1;
      gaveUp.abort();
      return embedder.embedImages(images);
    },
  };
  const text = await embedder.embedQuery('sunflower');
  await assert.rejects(
    heatOf(photo, { text, thresholds: thresholds(), score: 1, embedder: slow, signal: gaveUp.signal }),
    { name: 'AbortError' },
  );
  assert.equal(batches, 1);
});

test('the window is the part of the photo that the crop leaves', () => {
  const spec = { ...pack.imageSpec, resize: { shortestEdge: 96 }, crop: { width: 96, height: 96 } };
  assert.deepEqual(seenWindow({ width: 400, height: 200 }, spec), {
    left: 0.25,
    top: 0,
    width: 0.5,
    height: 1,
  });
  assert.deepEqual(seenWindow({ width: 200, height: 400 }, spec), {
    left: 0,
    top: 0.25,
    width: 1,
    height: 0.5,
  });
  const squeezed = { ...spec, resize: { width: 96, height: 96 }, crop: null };
  assert.deepEqual(seenWindow({ width: 400, height: 200 }, squeezed), {
    left: 0,
    top: 0,
    width: 1,
    height: 1,
  });
});
