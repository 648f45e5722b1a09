/** Decodes photos in real processes: upright, in sRGB, with thumbnails, metadata and errors in words. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import sharp from 'sharp';
import { AppError, type ErrorCode } from '../../../main/errors.ts';
import { createDecoder } from '../../../main/engine/inference/decoder.ts';
import { createNodeSpawner } from '../../../main/engine/inference/node-spawner.ts';
import type { DecodedPhoto, Decoder, ImageSpec, SpawnWorker } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';

const spawn = createNodeSpawner({ log: silentLog });
/** No resizing: the pixels are the photo's own. */
const whole: ImageSpec = {
  resize: null,
  crop: null,
  resample: 3,
  rescale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};
const model: ImageSpec = { ...whole, resize: { shortestEdge: 32 }, crop: { width: 32, height: 32 } };

let dir: string;
let decoder: Decoder;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'afterimage-decode-'));
  decoder = createDecoder({ spawn, log: silentLog, concurrency: 2 });
});
after(async () => {
  await decoder.close();
  await rm(dir, { recursive: true });
});

const decode = (bytes: Buffer, spec = whole, thumbnail = false): Promise<DecodedPhoto> =>
  decoder.decode({ bytes, name: 'photo' }, { spec, thumbnail });

const code = (wanted: ErrorCode) => (thrown: unknown) => {
  assert.ok(thrown instanceof AppError, String(thrown));
  assert.equal(thrown.code, wanted, thrown.message);
  return true;
};

/** 4 x 2: red, green, blue, white over black, black, black, black. */
const corners = sharp(
  Buffer.from([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  { raw: { width: 4, height: 2, channels: 3 } },
);
const pixelAt = (photo: DecodedPhoto, x: number, y: number): number[] => [
  ...photo.pixels.subarray((y * photo.pixelWidth + x) * 3, (y * photo.pixelWidth + x) * 3 + 3),
];

test('every EXIF orientation is turned upright', async () => {
  // Where the stored top left corner (red) belongs, as EXIF 2.3 defines the eight values.
  const expected: Record<number, [number, number, number, number]> = {
    1: [4, 2, 0, 0],
    2: [4, 2, 3, 0],
    3: [4, 2, 3, 1],
    4: [4, 2, 0, 1],
    5: [2, 4, 0, 0],
    6: [2, 4, 1, 0],
    7: [2, 4, 1, 3],
    8: [2, 4, 0, 3],
  };
  for (const [orientation, [width, height, x, y]] of Object.entries(expected)) {
    const file = await corners
      .clone()
      .withMetadata({ orientation: Number(orientation) })
      .png()
      .toBuffer();
    const photo = await decode(file);
    assert.deepEqual([photo.metadata.width, photo.metadata.height], [width, height], orientation);
    assert.deepEqual(pixelAt(photo, x, y), [255, 0, 0], `orientation ${orientation}`);
  }
});

test('an orientation that stands only in XMP is followed too', async () => {
  const xmp = (value: number): string =>
    `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><tiff:Orientation>${String(value)}</tiff:Orientation></rdf:Description></rdf:RDF></x:xmpmeta>`;
  const places: Record<number, [number, number]> = {
    1: [0, 0],
    2: [3, 0],
    3: [3, 1],
    4: [0, 1],
    5: [0, 0],
    6: [1, 0],
    7: [1, 3],
    8: [0, 3],
  };
  for (const [orientation, [x, y]] of Object.entries(places)) {
    const photo = await decode(
      await corners
        .clone()
        .withXmp(xmp(Number(orientation)))
        .png()
        .toBuffer(),
    );
    assert.equal(photo.metadata.width, Number(orientation) >= 5 ? 2 : 4);
    assert.deepEqual(pixelAt(photo, x, y), [255, 0, 0], `orientation ${orientation}`);
  }
});

test('transparency is seen on white', async () => {
  const file = await sharp({
    create: { width: 4, height: 4, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0 } },
  })
    .png()
    .toBuffer();
  assert.deepEqual(pixelAt(await decode(file), 0, 0), [255, 255, 255]);
});

test('16-bit, grey, CMYK, palette and animated pictures come out as 8-bit sRGB', async () => {
  const grey = sharp({ create: { width: 8, height: 8, channels: 3, background: '#808080' } });
  const files = {
    sixteen: await grey.clone().toColourspace('rgb16').png().toBuffer(),
    grey: await grey.clone().toColourspace('b-w').png().toBuffer(),
    cmyk: await grey.clone().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(),
    palette: await grey.clone().png({ palette: true }).toBuffer(),
    webp: await grey.clone().webp({ lossless: true }).toBuffer(),
    avif: await grey.clone().avif({ lossless: true }).toBuffer(),
    tiff: await grey.clone().tiff().toBuffer(),
    gif: await grey.clone().gif().toBuffer(),
  };
  for (const [name, file] of Object.entries(files)) {
    const photo = await decode(file);
    assert.equal(photo.pixels.length, 8 * 8 * 3, name);
    // CMYK inks can't mix every grey exactly.
    const limit = name === 'cmyk' ? 20 : 3;
    for (const value of pixelAt(photo, 3, 3))
      assert.ok(Math.abs(value - 128) <= limit, `${name}: ${String(value)}`);
  }
});

test('of an animation the first picture counts', async () => {
  const frames = Buffer.concat([Buffer.alloc(16 * 3, 255), Buffer.alloc(16 * 3, 0)]);
  const file = await sharp(frames, { raw: { width: 4, height: 8, channels: 3, pageHeight: 4 } })
    .webp({ lossless: true })
    .toBuffer();
  const photo = await decode(file);
  assert.deepEqual([photo.metadata.width, photo.metadata.height], [4, 4]);
  assert.deepEqual(pixelAt(photo, 0, 0), [255, 255, 255]);
});

test('one decode gives model pixels, a WebP thumbnail and the metadata', async () => {
  const file = await sharp({ create: { width: 1600, height: 1200, channels: 3, background: '#336699' } })
    .withExif({
      IFD0: { Make: 'NIKON CORPORATION', Model: 'NIKON D70' },
      IFD2: { DateTimeOriginal: '2021:03:04 05:06:07', ExposureTime: '1/250', FNumber: '28/10' },
    })
    .jpeg()
    .toBuffer();
  const photo = await decode(file, model, true);
  assert.equal(photo.pixels.length, 32 * 32 * 3);
  const thumbnail = await sharp(photo.thumbnail ?? Buffer.alloc(0)).metadata();
  assert.deepEqual([thumbnail.format, thumbnail.width, thumbnail.height], ['webp', 480, 360]);
  assert.deepEqual(photo.metadata, {
    width: 1600,
    height: 1200,
    format: 'jpeg',
    takenAt: Date.UTC(2021, 2, 4, 5, 6, 7),
    camera: 'NIKON D70',
    lens: null,
    exposureSeconds: 1 / 250,
    fNumber: 2.8,
    iso: null,
    focalLengthMm: null,
    latitude: null,
    longitude: null,
  });
});

test('a thumbnail is never larger than its photo, and a panorama stays small', async () => {
  const size = async (width: number, height: number): Promise<(number | undefined)[]> => {
    const file = await sharp({ create: { width, height, channels: 3, background: '#123456' } })
      .png()
      .toBuffer();
    const { thumbnail } = await decode(file, model, true);
    const info = await sharp(thumbnail ?? Buffer.alloc(0)).metadata();
    return [info.width, info.height];
  };
  assert.deepEqual(await size(50, 40), [50, 40]);
  assert.deepEqual(await size(4000, 400), [1080, 108]);
});

test('what a file is decides, not what it is called', async () => {
  const path = join(dir, 'really-a-png.jpg');
  await writeFile(path, await corners.clone().png().toBuffer());
  const photo = await decoder.decode({ path }, { spec: whole, thumbnail: false });
  assert.equal(photo.metadata.format, 'png');
});

test('paths in any script are read', async () => {
  const path = join(dir, 'Ünïcode 写真 🌄 (1).png');
  await writeFile(path, await corners.clone().png().toBuffer());
  assert.equal((await decoder.decode({ path }, { spec: whole, thumbnail: false })).pixelWidth, 4);
});

test('text, SVG, PDF, BMP and nothing at all are refused with the reason', async () => {
  const refused: [string, string | Buffer, ErrorCode, RegExp][] = [
    ['text', 'hello, this is not an image', 'image-unsupported', /not an image/],
    ['svg', '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', 'image-unsupported', /SVG/],
    ['pdf', '%PDF-1.7', 'image-unsupported', /PDF/],
    ['bmp', Buffer.concat([Buffer.from('BM'), Buffer.alloc(60)]), 'image-unsupported', /BMP/],
    ['empty', '', 'image-broken', /empty/],
    ['header only', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16]), 'image-broken', /damaged/],
  ];
  for (const [name, content, wanted, message] of refused) {
    await assert.rejects(decode(Buffer.from(content)), (thrown: unknown) => {
      code(wanted)(thrown);
      assert.match((thrown as AppError).message, message, name);
      return true;
    });
  }
});

test('a photo of which most is there is kept, one of which little is there is reported', async () => {
  const noise = Buffer.from(Array.from({ length: 400 * 300 * 3 }, (_, i) => (i * 7919) % 251));
  const file = await sharp(noise, { raw: { width: 400, height: 300, channels: 3 } })
    .jpeg()
    .toBuffer();
  const most = await decode(file.subarray(0, Math.round(file.length * 0.8)));
  assert.deepEqual([most.metadata.width, most.metadata.height], [400, 300]);
  await assert.rejects(decode(file.subarray(0, Math.round(file.length * 0.2))), code('image-broken'));
});

test('a forged header of billions of pixels is refused at once', async () => {
  const file = Buffer.from(await corners.clone().png().toBuffer());
  file.writeUInt32BE(60_000, 16);
  file.writeUInt32BE(60_000, 20);
  const started = performance.now();
  await assert.rejects(decode(file), (thrown: unknown) => {
    assert.ok(thrown instanceof AppError);
    assert.ok(['image-too-large', 'image-broken'].includes(thrown.code));
    return true;
  });
  assert.ok(performance.now() - started < 5_000);
});

test('a photo over the pixel limit is too large', async () => {
  const strict = createDecoder({ spawn, log: silentLog, concurrency: 1, maxPixels: 1_000 });
  const file = await sharp({ create: { width: 50, height: 50, channels: 3, background: '#fff' } })
    .png()
    .toBuffer();
  try {
    await assert.rejects(
      strict.decode({ bytes: file, name: 'big.png' }, { spec: whole, thumbnail: false }),
      code('image-too-large'),
    );
  } finally {
    await strict.close();
  }
});

test('a file that is gone and a folder are told apart from damaged photos', async () => {
  const at = (path: string): Promise<DecodedPhoto> =>
    decoder.decode({ path }, { spec: whole, thumbnail: false });
  await assert.rejects(at(join(dir, 'gone.jpg')), code('file-vanished'));
  await assert.rejects(at(dir), code('io-failed'));
});

test('a cancelled decode is cancelled, before and during', async () => {
  const file = await corners.clone().png().toBuffer();
  const cancel = new AbortController();
  const running = decoder.decode(
    { bytes: file, name: 'a' },
    { spec: whole, thumbnail: false, signal: cancel.signal },
  );
  cancel.abort();
  await assert.rejects(running, code('cancelled'));
  await assert.rejects(
    decoder.decode({ bytes: file, name: 'a' }, { spec: whole, thumbnail: false, signal: cancel.signal }),
    code('cancelled'),
  );
});

/** Starts real decoders, and kills the process whenever it is asked for a photo of this name. */
function deadlySpawn(name: string): { spawn: SpawnWorker; kills: () => number } {
  let kills = 0;
  return {
    kills: () => kills,
    spawn: (worker) => {
      const real = spawn(worker);
      return {
        ...real,
        post: (message) => {
          real.post(message);
          if (JSON.stringify(message).includes(name)) {
            kills++;
            real.kill();
          }
        },
      };
    },
  };
}

test('a photo that ends the process is blamed alone, and the photos beside it are decoded', async () => {
  const deadly = deadlySpawn('killer.png');
  const pool = createDecoder({ spawn: deadly.spawn, log: silentLog, concurrency: 4 });
  const path = (name: string): string => join(dir, name);
  const file = await corners.clone().png().toBuffer();
  const names = ['a.png', 'b.png', 'killer.png', 'c.png', 'd.png', 'e.png', 'f.png'];
  for (const name of names) await writeFile(path(name), file);
  try {
    const results = await Promise.allSettled(
      names.map((name) => pool.decode({ path: path(name) }, { spec: whole, thumbnail: false })),
    );
    for (const [i, result] of results.entries()) {
      if (names[i] === 'killer.png') {
        assert.equal(result.status, 'rejected');
        code('worker-died')(result.reason);
      } else assert.equal(result.status, 'fulfilled', names[i]);
    }
    assert.ok(deadly.kills() <= 2);
    assert.equal(
      (await pool.decode({ path: path('a.png') }, { spec: whole, thumbnail: false })).pixelWidth,
      4,
    );
  } finally {
    await pool.close();
  }
});

test('closing rejects what is queued and leaves nothing running', async () => {
  const pool = createDecoder({ spawn, log: silentLog, concurrency: 1 });
  const file = await corners.clone().png().toBuffer();
  const waiting = Promise.allSettled(
    Array.from({ length: 5 }, () =>
      pool.decode({ bytes: file, name: 'x' }, { spec: whole, thumbnail: false }),
    ),
  );
  await pool.close();
  for (const result of await waiting) {
    if (result.status === 'rejected') code('engine-stopped')(result.reason);
  }
  await assert.rejects(
    pool.decode({ bytes: file, name: 'x' }, { spec: whole, thumbnail: false }),
    code('engine-stopped'),
  );
});
