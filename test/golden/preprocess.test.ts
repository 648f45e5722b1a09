/**
 * Our preprocessing against Hugging Face's image processors over Pillow: made by make_golden.py, committed as PNG.
 * The requirement is a mean difference below 1 of 255; small photos must be equal to the last bit.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import sharp from 'sharp';
import { z } from 'zod';
import { decodeImage } from '../../main/engine/inference/decode-image.ts';
import { resampleLikePillow, type RgbImage } from '../../main/engine/inference/pillow-resample.ts';
import { decodeSize, resizedSize, toModelPixels } from '../../main/engine/inference/preprocess.ts';
import type { ImageSpec } from '../../main/engine/inference/types.ts';

const folder = join(import.meta.dirname, 'preprocess');
const cases = z
  .array(
    z.object({
      image: z.string(),
      expected: z.string(),
      config: z.object({
        size: z.union([
          z.object({ shortest_edge: z.number() }),
          z.object({ width: z.number(), height: z.number() }),
        ]),
        resample: z.union([z.literal(1), z.literal(2), z.literal(3)]),
        do_center_crop: z.boolean().nullish(),
        crop_size: z.object({ width: z.number(), height: z.number() }).nullish(),
      }),
    }),
  )
  .parse(JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')));

function specOf(config: (typeof cases)[number]['config']): ImageSpec {
  const { size } = config;
  return {
    resize: 'shortest_edge' in size ? { shortestEdge: size.shortest_edge } : size,
    crop: config.do_center_crop === true ? (config.crop_size ?? null) : null,
    resample: config.resample,
    rescale: 1 / 255,
    mean: [0.5, 0.5, 0.5],
    std: [0.5, 0.5, 0.5],
  };
}

async function rgb(path: string): Promise<RgbImage> {
  const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

function difference(a: Uint8Array, b: Uint8Array): { mean: number; max: number } {
  assert.equal(a.length, b.length);
  let sum = 0;
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const distance = Math.abs((a[i] ?? 0) - (b[i] ?? 0));
    sum += distance;
    max = Math.max(max, distance);
  }
  return { mean: sum / a.length, max };
}

for (const { image, expected, config } of cases) {
  test(`${expected} is what the reference gives, bit for bit`, async () => {
    const photo = await decodeImage({
      source: { path: join(folder, image) },
      spec: specOf(config),
      thumbnail: false,
      maxPixels: 1e8,
      timeoutMs: 10_000,
    });
    const reference = await rgb(join(folder, expected));
    assert.deepEqual([photo.pixelWidth, photo.pixelHeight], [reference.width, reference.height]);
    assert.deepEqual(difference(photo.pixels, reference.data), { mean: 0, max: 0 });
  });
}

/** A made-up photo of a given size: waves of many frequencies and hard edges, saved as a JPEG. */
async function bigJpeg(width: number, height: number): Promise<{ jpeg: Buffer; upright: RgbImage }> {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      const edge = (x >> 6) % 2 === (y >> 5) % 2 ? 60 : -60;
      data[at] = 128 + edge + 60 * Math.sin(x / 40);
      data[at + 1] = 128 + 110 * Math.sin((x * x) / 90_000 + y / 90);
      data[at + 2] = 128 + edge / 2 + 80 * Math.cos((x - y) / 17);
    }
  }
  const jpeg = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 92 })
    .toBuffer();
  const raw = await sharp(jpeg).raw().toBuffer();
  return { jpeg, upright: { data: raw, width, height } };
}

const clip224: ImageSpec = {
  resize: { shortestEdge: 224 },
  crop: { width: 224, height: 224 },
  resample: 3,
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
};
const siglip224: ImageSpec = { ...clip224, resize: { width: 224, height: 224 }, crop: null };

test('a 12-megapixel JPEG, shrunk while it is decoded, stays within 1/255 of the full decode', async (context) => {
  const { jpeg, upright } = await bigJpeg(4000, 3000);
  for (const [name, spec] of Object.entries({ clip224, siglip224 })) {
    const exact = toModelPixels(upright, upright, spec);
    const photo = await decodeImage({
      source: { bytes: jpeg, name: 'big.jpg' },
      spec,
      thumbnail: true,
      maxPixels: 1e8,
      timeoutMs: 20_000,
    });
    const { mean, max } = difference(photo.pixels, exact.data);
    context.diagnostic(`${name}: mean ${mean.toFixed(3)}, max ${String(max)} of 255`);
    assert.ok(mean < 1, `${name}: ${String(mean)}`);
  }
});

test('sizes are rounded as the reference rounds them', () => {
  assert.deepEqual(resizedSize({ width: 4000, height: 3000 }, clip224), { width: 298, height: 224 });
  assert.deepEqual(resizedSize({ width: 3000, height: 4000 }, clip224), { width: 224, height: 298 });
  assert.deepEqual(resizedSize({ width: 500, height: 333 }, clip224), { width: 336, height: 224 });
  assert.deepEqual(resizedSize({ width: 10, height: 7 }, siglip224), { width: 224, height: 224 });
});

test('a small photo is decoded at its own size and a large one at a few times the final size', () => {
  const none = { width: 1, height: 1 };
  assert.deepEqual(decodeSize({ width: 800, height: 600 }, clip224, none), { width: 800, height: 600 });
  const large = decodeSize({ width: 8000, height: 6000 }, clip224, none);
  assert.ok(large.height >= 3 * 224 && large.height < 4 * 224);
  assert.equal(
    decodeSize({ width: 8000, height: 6000 }, clip224, { width: 1600, height: 1200 }).height,
    1200,
  );
});

test('a window of the resized image is the same as a cut-out of the whole', async () => {
  const image = await rgb(join(folder, '211x301.png'));
  for (const resample of [0, 1, 2, 3] as const) {
    const whole = resampleLikePillow(image, 90, 128, resample);
    const window = { left: 13, top: 20, width: 40, height: 31 };
    const part = resampleLikePillow(image, 90, 128, resample, window);
    for (let y = 0; y < window.height; y++) {
      const from = ((y + window.top) * 90 + window.left) * 3;
      assert.deepEqual(
        part.data.subarray(y * window.width * 3, (y + 1) * window.width * 3),
        whole.data.subarray(from, from + window.width * 3),
      );
    }
  }
});

test('a picture a thousand times as long as it is high costs no more than a square', () => {
  const image = { data: new Uint8Array(20_000 * 20 * 3).fill(77), width: 20_000, height: 20 };
  const { data } = toModelPixels(image, image, clip224);
  assert.equal(data.length, 224 * 224 * 3);
  assert.ok(data.every((value) => value === 77));
});
