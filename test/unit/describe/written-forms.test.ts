/** Sidecars and tables are read back by others: a JPEG reader, an XML parser, an RFC 4180 reader. */
import assert from 'node:assert/strict';
import test from 'node:test';
import ExifReader from 'exifreader';
import sharp from 'sharp';
import { captionLine, captionTableHeader } from '../../../main/engine/describe/caption-table.ts';
import { isOurSidecar, writeSidecar } from '../../../main/engine/describe/xmp-sidecar.ts';
import { parseCsv } from './parse-csv.ts';

const at = Date.UTC(2026, 0, 2, 3, 4, 5);

/** What a program that reads XMP from photos makes of the packet. */
async function readBack(packet: string): Promise<{ description: unknown; subject: unknown }> {
  const photo = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .withXmp(packet)
    .jpeg()
    .toBuffer();
  const { xmp = {} } = ExifReader.load(photo, { expanded: true });
  const value = (name: string): unknown =>
    (xmp as Record<string, { value: unknown } | undefined>)[name]?.value;
  const texts = (list: unknown): unknown =>
    Array.isArray(list) ? list.map((item) => (item as { value: unknown }).value) : list;
  return { description: texts(value('description')), subject: texts(value('subject')) };
}

const hard = 'A "dog" & <cat> at the café\u2019s ‘door’ — 狗 🐕, 1 < 2 && ]]> &amp;';

test('a caption and its tags are read back as they were, whatever they are made of', async () => {
  const found = await readBack(writeSidecar({ caption: hard, tags: ['dog & cat', '<b>', '海滩'], at }));
  assert.deepEqual(found.description, [hard]);
  assert.deepEqual(found.subject, ['dog & cat', '<b>', '海滩']);
});

test('characters that XML does not allow are left out, and nothing is said of what there is not', async () => {
  const found = await readBack(writeSidecar({ caption: 'a\u0000b\u0008c\ud800d', tags: [], at }));
  assert.deepEqual(found.description, ['abc\ufffdd']);
  assert.equal(found.subject, undefined);
  const packet = writeSidecar({ caption: '', tags: ['dog'], at });
  assert.equal(packet.includes('dc:description'), false);
  assert.deepEqual((await readBack(packet)).subject, ['dog']);
});

test('a sidecar is ours until somebody changes a byte of it', () => {
  const packet = writeSidecar({ caption: hard, tags: ['dog'], at });
  assert.equal(isOurSidecar(packet), true);
  const rated = packet.replace('<dc:subject>', '<xmp:Rating>5</xmp:Rating><dc:subject>');
  assert.notEqual(rated, packet);
  assert.equal(isOurSidecar(rated), false);
  assert.equal(isOurSidecar('<x:xmpmeta xmlns:x="adobe:ns:meta/"/>'), false);
  assert.equal(isOurSidecar(''), false);
});

test('a table is read back field by field, and no field is a formula', () => {
  const rows = [
    { path: '/a/b, c.jpg', caption: 'says "hello"', by: 'hand' as const, confidence: null, tags: ['a', 'b'] },
    {
      path: '/a/d.jpg',
      caption: '=HYPERLINK("http://x")',
      by: 'model' as const,
      confidence: 0.1234,
      tags: [],
    },
    { path: '/a/e.jpg', caption: 'two\nlines', by: 'hand' as const, confidence: null, tags: ['@home'] },
    { path: '/a/f.jpg', caption: '-1 degrees', by: 'hand' as const, confidence: null, tags: [] },
  ];
  const table = captionTableHeader + rows.map(captionLine).join('');
  assert.equal(Buffer.from(table).subarray(0, 3).toString('hex'), 'efbbbf');
  assert.deepEqual(parseCsv(table), [
    ['path', 'caption', 'by', 'confidence', 'tags'],
    ['/a/b, c.jpg', 'says "hello"', 'hand', '', 'a; b'],
    ['/a/d.jpg', '\'=HYPERLINK("http://x")', 'model', '0.123', ''],
    ['/a/e.jpg', 'two\nlines', 'hand', '', "'@home"],
    ['/a/f.jpg', "'-1 degrees", 'hand', '', ''],
  ]);
});
