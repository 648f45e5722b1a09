import assert from 'node:assert/strict';
import test from 'node:test';
import { parseRange } from '../../../main/shell/byte-range.ts';
import { imageType } from '../../../main/shell/image-type.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');

test('the marks of the common formats are known', () => {
  assert.equal(imageType(bytes('\xff\xd8\xff\xe1'), ''), 'image/jpeg');
  assert.equal(imageType(bytes('\x89PNG\r\n\x1a\n'), ''), 'image/png');
  assert.equal(imageType(bytes('GIF89a'), ''), 'image/gif');
  assert.equal(imageType(bytes('RIFF\0\0\0\0WEBPVP8 '), ''), 'image/webp');
  assert.equal(imageType(bytes('II*\0'), ''), 'image/tiff');
  assert.equal(imageType(bytes('\0\0\0\x18ftypheic\0\0\0\0mif1heic'), ''), 'image/heic');
  assert.equal(imageType(bytes('\0\0\0\x1cftypavif\0\0\0\0'), ''), 'image/avif');
  assert.equal(imageType(bytes('\0\0\0\x1cftypmif1\0\0\0\0mif1avif'), ''), 'image/avif');
  assert.equal(imageType(bytes('\0\0\0\x1cftypmp42\0\0\0\0'), 'video/mp4'), undefined);
});

test('an unknown mark is believed for raster formats without one only', () => {
  assert.equal(imageType(bytes('BM\0\0'), 'image/bmp'), 'image/bmp');
  assert.equal(imageType(bytes('%PDF'), 'application/pdf'), undefined);
  assert.equal(imageType(bytes('<svg'), 'image/svg+xml'), undefined);
  assert.equal(imageType(bytes('hello'), 'image/jpeg'), undefined);
});

test('ranges are read as the standard says', () => {
  assert.deepEqual(parseRange('bytes=0-0', 10), { start: 0, end: 0 });
  assert.deepEqual(parseRange('bytes=5-', 10), { start: 5, end: 9 });
  assert.deepEqual(parseRange('bytes=5-99', 10), { start: 5, end: 9 });
  assert.deepEqual(parseRange('bytes=-99', 10), { start: 0, end: 9 });
  assert.equal(parseRange('bytes=10-', 10), 'unsatisfiable');
  assert.equal(parseRange('bytes=-0', 10), 'unsatisfiable');
  for (const odd of [undefined, '', 'bytes=-', 'bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=a-b'])
    assert.equal(parseRange(odd, 10), undefined, odd);
});
