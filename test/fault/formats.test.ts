import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp, { type Sharp } from 'sharp';
import { errorCodes } from '../../main/errors.ts';
import { isImageName } from '../../main/engine/library/image-files.ts';
import type { PhotoRow } from '../../main/engine/store/types.ts';
import { createRealLibrary, type RealLibrary } from './real-library.ts';

/** A collection of broken and odd files that is not part of the repository; it lies beside a checkout that has it. */
const top = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const data = process.env['AFTERIMAGE_FORMATS'] ?? join(dirname(top), 'shared', 'data');
const collection = join(data, 'formats.tar');
const missing = `THE FORMATS COLLECTION IS NOT HERE (${basename(collection)}): only the small set made on the spot is tried`;

/** Every file is a whole photo or a failure with a code and a sentence; nothing is in between. */
function assertWhole(real: RealLibrary, rootId: number): PhotoRow[] {
  const rows = real.store.photos.getMany(real.store.photos.files(rootId).map(({ id }) => id));
  for (const row of rows) {
    const vector = real.store.embeddings.get(real.modelId, row.id);
    if (row.status === 'indexed') {
      assert.ok(row.metadata !== null && row.metadata.width > 0 && row.metadata.height > 0, row.relPath);
      assert.ok(row.hash !== null && row.error === null, row.relPath);
      assert.ok(vector !== undefined && Math.abs(Math.hypot(...vector) - 1) < 1e-4, row.relPath);
      assert.ok((real.store.thumbnails.get(row.id)?.length ?? 0) > 0, `thumbnail of ${row.relPath}`);
      assert.ok(real.index.has(row.id), row.relPath);
    } else {
      assert.equal(row.status, 'failed', row.relPath);
      assert.ok(row.error !== null && row.error.code in errorCodes, row.relPath);
      assert.notEqual(row.error.code, 'internal', `${row.relPath}: ${row.error.message}`);
      assert.match(row.error.message, /^.{20,}\.$/s, `${row.relPath}: a sentence`);
      assert.deepEqual([row.metadata, vector], [null, undefined], row.relPath);
      assert.ok(!real.index.has(row.id), row.relPath);
    }
  }
  return rows;
}

async function thumbnailPixels(real: RealLibrary, row: PhotoRow): Promise<Buffer> {
  return sharp(await real.library.thumbnail(row.id))
    .greyscale()
    .resize(32, 32, { fit: 'fill' })
    .raw()
    .toBuffer();
}

/** Mean absolute difference, of 255. */
function difference(a: Buffer, b: Buffer): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

test('photos in every orientation, format and state of repair are indexed upright or refused with a reason', async (t) => {
  const real = await createRealLibrary(t);
  const folder = join(real.folder, 'photos');
  mkdirSync(folder);
  // Dark above, bright to the lower right: no turn or mirror of it looks like another.
  const [width, height] = [96, 64];
  const upright = Buffer.from(
    Array.from({ length: width * height }, (_, i) => {
      const [x, y] = [i % width, Math.floor(i / width)];
      return y < height / 2 ? 20 : x < width / 2 ? 120 : 240;
    }).flatMap((grey) => [grey, grey, grey]),
  );
  const image = (): Sharp => sharp(upright, { raw: { width, height, channels: 3 } });
  /** Stored so that the tag turns it upright again. */
  const turned: ((one: Sharp) => Sharp)[][] = [
    [],
    [(one) => one.flop()],
    [(one) => one.rotate(180)],
    [(one) => one.flip()],
    [(one) => one.rotate(90), (one) => one.flop()],
    [(one) => one.rotate(-90)],
    [(one) => one.rotate(90), (one) => one.flip()],
    [(one) => one.rotate(90)],
  ];
  for (const [i, steps] of turned.entries()) {
    let stored = image();
    // One pass for each step: within one, libvips has an order of its own.
    for (const step of steps) stored = sharp(await step(stored).png().toBuffer());
    await stored
      .withMetadata({ orientation: i + 1 })
      .jpeg({ quality: 95 })
      .toFile(join(folder, `turned${i + 1}.jpg`));
  }
  await image().png().toFile(join(folder, 'plain.png'));
  await image().webp().toFile(join(folder, 'plain.webp'));
  await image().avif().toFile(join(folder, 'plain.avif'));
  await image().tiff().toFile(join(folder, 'plain.tif'));
  await image().gif().toFile(join(folder, 'plain.gif'));
  await image().toColourspace('cmyk').jpeg().toFile(join(folder, 'cmyk.jpg'));
  await image().toColourspace('rgb16').png().toFile(join(folder, 'deep.png'));
  await image().png().toFile(join(folder, 'lies.jpg'));
  const jpeg = await image().jpeg().toBuffer();
  const refused: Record<string, Buffer | string> = {
    'empty.jpg': '',
    'text.jpg': 'this is no picture, whatever its name says',
    'drawing.svg':
      '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
    'zeros.png': Buffer.alloc(4_096),
    'header-only.jpg': jpeg.subarray(0, 20),
    'raw.cr2': Buffer.from('II*\0\x10\0\0\0CR\x02\0', 'latin1'),
    'photoshop.psd': Buffer.from('8BPS\0\x01', 'latin1'),
  };
  for (const [name, bytes] of Object.entries(refused)) writeFileSync(join(folder, name), bytes);

  const { root } = await real.library.addRoot(folder);
  const report = await real.library.run();
  const rows = assertWhole(real, root.id);
  assert.deepEqual(report.failed.map(({ path }) => basename(path)).sort(), Object.keys(refused).sort());
  const good = rows.filter(({ status }) => status === 'indexed');
  assert.equal(good.length, 16);
  const reference = await image().greyscale().resize(32, 32, { fit: 'fill' }).raw().toBuffer();
  for (const row of good) {
    assert.deepEqual([row.metadata?.width, row.metadata?.height], [width, height], row.relPath);
    const off = difference(await thumbnailPixels(real, row), reference);
    assert.ok(off < 12, `${row.relPath} is off by ${off.toFixed(1)}`);
  }
  assert.equal((await real.library.run()).unchanged, rows.length);
});

interface Listed {
  readonly file: string;
  readonly w: number | null;
  readonly h: number | null;
  readonly tags: readonly string[];
}

test(
  'every file of the formats collection is indexed upright or refused with a code and a sentence',
  { skip: existsSync(collection) ? false : missing },
  async (t) => {
    const real = await createRealLibrary(t);
    const folder = join(real.folder, 'formats');
    mkdirSync(folder);
    execFileSync('tar', ['-xf', collection, '-C', folder]);
    const listed = readFileSync(join(data, 'formats.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Listed);
    assert.ok(listed.length >= 175);

    const { root } = await real.library.addRoot(folder);
    const report = await real.library.run();
    const rows = new Map(assertWhole(real, root.id).map((row) => [row.relPath, row]));
    const byName = listed.filter(({ file }) => isImageName(basename(file)));
    assert.deepEqual([...rows.keys()].sort(), byName.map(({ file }) => file).sort());
    assert.ok(byName.length >= 174, 'all but the one that is not even named like a picture');
    assert.equal(report.indexed + report.failed.length, byName.length);
    assert.ok(report.indexed >= 95, `${report.indexed} were readable`);

    for (const { file, w, h, tags } of byName) {
      const row = rows.get(file);
      const orientation = Number(/\d/.exec(tags.find((tag) => tag.startsWith('orientation')) ?? '1')?.[0]);
      if (row?.status !== 'indexed' || row.metadata === null || w === null || h === null) continue;
      if (orientation === 1 || tags.some((tag) => tag.startsWith('pil-error'))) continue;
      const size = orientation >= 5 ? [h, w] : [w, h];
      assert.deepEqual([row.metadata.width, row.metadata.height], size, file);
    }
    // One picture stored in several orientations: upright, all of them look alike.
    for (const same of [
      /hopper_orientation_\d\.jpg$/,
      /hopper_orientation_\d\.webp$/,
      /g4_orientation_\d\.tif$/,
      /\/f\dt\.jpg$/,
    ]) {
      const alike = [...rows.values()].filter(
        ({ relPath, status }) => same.test(relPath) && status === 'indexed',
      );
      assert.ok(alike.length >= 4, String(same));
      const pixels = await Promise.all(alike.map((row) => thumbnailPixels(real, row)));
      for (const [i, one] of pixels.entries()) {
        const off = difference(one, pixels[0] ?? one);
        assert.ok(off < 8, `${alike[i]?.relPath ?? ''} is off by ${off.toFixed(1)}`);
      }
    }
    const again = await real.library.run();
    assert.deepEqual([again.indexed, again.unchanged, again.failed], [0, byName.length, []]);
  },
);
