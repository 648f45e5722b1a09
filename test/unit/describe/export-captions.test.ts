/** Captions and tags written out: beside the photos, into a folder, as a table; never over what others wrote. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { exportCaptions, type ExportRequest } from '../../../main/engine/describe/export-captions.ts';
import { isOurSidecar } from '../../../main/engine/describe/xmp-sidecar.ts';
import { describedLibrary, listening, type DescribedLibrary } from './described-library.ts';
import { parseCsv } from './parse-csv.ts';

const write = (library: DescribedLibrary, parts: Partial<ExportRequest> = {}) =>
  exportCaptions(
    {
      store: library.store,
      now: () => Date.UTC(2026, 1, 2),
      locate: library.options.locate,
      tagsOf: (id) => (id === library.ids[1] ? ['dog', 'beach'] : []),
    },
    {
      format: 'xmp',
      folder: null,
      photoIds: undefined,
      signal: listening.signal,
      onProgress: () => undefined,
      ...parts,
    },
  );
const files = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

test('sidecars lie beside the photos of which something is said, and the photos are as they were', async (t) => {
  const library = describedLibrary(t, 3);
  library.captions.set({ photoId: library.ids[0] ?? 0, text: 'Grandma & <me>' });
  const steps: number[] = [];
  const report = await write(library, { onProgress: ({ done }) => void steps.push(done) });
  assert.deepEqual([report.written, report.skipped, report.path], [2, [], null]);
  assert.deepEqual(files(library.photos), [
    'photo 1.jpg',
    'photo 1.jpg.xmp',
    'photo 2.jpg',
    'photo 2.jpg.xmp',
    'photo 3.jpg',
  ]);
  assert.equal(steps.at(-1), 3);
  const sidecar = readFileSync(join(library.photos, 'photo 1.jpg.xmp'), 'utf8');
  assert.ok(sidecar.includes('Grandma &amp; &lt;me&gt;') && isOurSidecar(sidecar));
  assert.equal(readFileSync(join(library.photos, 'photo 1.jpg'), 'utf8'), 'photo 1.jpg');
});

test('our sidecars are replaced, those of others and those that others changed are left alone and named', async (t) => {
  const library = describedLibrary(t, 3);
  for (const photoId of library.ids) library.captions.set({ photoId, text: 'first' });
  const theirs = join(library.photos, 'photo 3.jpg.xmp');
  writeFileSync(theirs, '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>');
  await write(library);
  const rated = join(library.photos, 'photo 2.jpg.xmp');
  writeFileSync(
    rated,
    readFileSync(rated, 'utf8').replace('</rdf:Description>', '<xmp:Rating>5</xmp:Rating></rdf:Description>'),
  );
  for (const photoId of library.ids) library.captions.set({ photoId, text: 'second' });
  const report = await write(library);
  assert.equal(report.written, 1);
  assert.deepEqual(report.skipped.map(({ path }) => path).sort(), [rated, theirs]);
  assert.ok(readFileSync(join(library.photos, 'photo 1.jpg.xmp'), 'utf8').includes('second'));
  assert.ok(readFileSync(rated, 'utf8').includes('first'));
  assert.equal(readFileSync(theirs, 'utf8'), '<x:xmpmeta xmlns:x="adobe:ns:meta/"/>');
});

test('into a folder, photos of one name in several folders stay apart, and drives that are away do not matter', async (t) => {
  const library = describedLibrary(t, 1);
  for (const name of ['a/same.jpg', 'b/same.jpg'])
    library.captions.set({ photoId: library.add(name), text: name });
  rmSync(library.photos, { recursive: true });
  const folder = join(library.directory, '..', 'out');
  mkdirSync(folder);
  const report = await write(library, { folder });
  assert.deepEqual([report.written, report.path], [2, folder]);
  assert.ok(readFileSync(join(folder, 'photos/b/same.jpg.xmp'), 'utf8').includes('b/same.jpg'));
});

test('photos out of reach and folders that refuse are reported photo by photo', async (t) => {
  const library = describedLibrary(t, 2);
  const closed = library.add('closed/x.jpg');
  for (const photoId of [...library.ids, closed]) library.captions.set({ photoId, text: 'words' });
  rmSync(join(library.photos, 'photo 1.jpg'));
  chmodSync(join(library.photos, 'closed'), 0o500);
  t.after(() => {
    if (existsSync(join(library.photos, 'closed'))) chmodSync(join(library.photos, 'closed'), 0o700);
  });
  const report = await write(library);
  const reasons = new Map(report.skipped.map(({ path, reason }) => [path, reason]));
  assert.match(reasons.get(join(library.photos, 'photo 1.jpg')) ?? '', /not there any more/);
  // Who may write anywhere (root) is not refused.
  if (process.getuid?.() !== 0)
    assert.match(reasons.get(join(library.photos, 'closed/x.jpg')) ?? '', /cannot be written/);
  assert.ok(existsSync(join(library.photos, 'photo 2.jpg.xmp')));
  assert.equal(
    files(library.photos).some((name) => name.endsWith('.tmp')),
    false,
  );
});

test('a table holds every photo of which something is said, and replaces only a table of ours', async (t) => {
  const library = describedLibrary(t, 3);
  const [first = 0, second = 0, third = 0] = library.ids;
  await library.captions.make({ photoId: third, again: false }, listening);
  library.captions.set({ photoId: first, text: '=1+1, "quoted"' });
  const folder = join(library.directory, '..', 'out');
  mkdirSync(folder);
  const report = await write(library, { format: 'csv', folder, photoIds: [first, second, third] });
  assert.deepEqual([report.written, report.path], [3, join(folder, 'captions.csv')]);
  assert.deepEqual(parseCsv(readFileSync(join(folder, 'captions.csv'), 'utf8')), [
    ['path', 'caption', 'by', 'confidence', 'tags'],
    [join(library.photos, 'photo 1.jpg'), '\'=1+1, "quoted"', 'hand', '', ''],
    [join(library.photos, 'photo 2.jpg'), '', '', '', 'dog; beach'],
    [join(library.photos, 'photo 3.jpg'), 'words about photo 3.jpg', 'model', '0.800', ''],
  ]);
  assert.equal((await write(library, { format: 'csv', folder })).path, join(folder, 'captions.csv'));
  writeFileSync(join(folder, 'captions.csv'), 'name,caption\r\nmine,mine\r\n');
  assert.equal((await write(library, { format: 'csv', folder })).path, join(folder, 'captions-2.csv'));
  assert.equal(readFileSync(join(folder, 'captions.csv'), 'utf8'), 'name,caption\r\nmine,mine\r\n');
  await assert.rejects(write(library, { format: 'csv', folder: null }), { code: 'input-invalid' });
  await assert.rejects(write(library, { format: 'csv', folder: join(folder, 'nowhere') }), {
    code: 'file-vanished',
  });
});

test('a cancel stops an export between two photos', async (t) => {
  const library = describedLibrary(t, 3);
  for (const photoId of library.ids) library.captions.set({ photoId, text: 'words' });
  const controller = new AbortController();
  await assert.rejects(
    write(library, { signal: controller.signal, onProgress: ({ done }) => done === 1 && controller.abort() }),
    { name: 'AbortError' },
  );
  assert.equal(files(library.photos).filter((name) => name.endsWith('.xmp')).length, 1);
});
