/** Display P3 against known pairs of colours, and against libvips' own colour management. */
import assert from 'node:assert/strict';
import test from 'node:test';
import sharp from 'sharp';
import { displayP3ToSrgb, isDisplayP3 } from '../../../main/engine/inference/display-p3.ts';

test('greys stay as they are and primaries of sRGB are found inside P3', () => {
  const p3 = Uint8Array.of(0, 0, 0, 128, 128, 128, 255, 255, 255, 234, 51, 35, 117, 251, 76, 0, 0, 245);
  const { data } = displayP3ToSrgb({ data: p3, width: 6, height: 1 });
  const expected = [0, 0, 0, 128, 128, 128, 255, 255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 255];
  for (const [i, value] of data.entries()) {
    assert.ok(Math.abs(value - (expected[i] ?? 0)) <= 3, `${String(i)}: ${String(value)}`);
  }
});

test('the conversion undoes what libvips does towards Display P3', async () => {
  const width = 64;
  const srgb = Buffer.from(Array.from({ length: width * 3 }, (_, i) => 40 + ((i * 53) % 170)));
  const png = await sharp(srgb, { raw: { width, height: 1, channels: 3 } })
    .withIccProfile('p3')
    .png()
    .toBuffer();
  assert.ok(isDisplayP3((await sharp(png).metadata()).icc) || (await sharp(png).metadata()).hasProfile);
  // The numbers as they are stored, with no colour management: what libheif would hand over.
  const stored = await sharp(png, { ignoreIcc: true }).raw().toBuffer();
  const { data } = displayP3ToSrgb({ data: stored, width, height: 1 });
  let worst = 0;
  for (const [i, value] of data.entries()) worst = Math.max(worst, Math.abs(value - (srgb[i] ?? 0)));
  assert.ok(worst <= 4, `off by ${String(worst)}`);
});

test('a profile of another name is not taken for Display P3', () => {
  assert.equal(isDisplayP3(undefined), false);
  assert.equal(isDisplayP3(Buffer.from('sRGB IEC61966-2.1')), false);
  assert.equal(isDisplayP3(Buffer.from('....desc....Display P3....')), true);
  assert.equal(isDisplayP3(Buffer.from('Display P3', 'utf16le').swap16()), true);
});
