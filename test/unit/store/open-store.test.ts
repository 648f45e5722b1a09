import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { AppError } from '../../../main/errors.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import { file, finished, now, storeWithModel, temporaryFolder } from './temporary-library.ts';

const writer = fileURLToPath(new URL('writer-process.ts', import.meta.url));

async function startWriter(t: TestContext, directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [writer, directory, 'hold'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

test('a library survives closing and opening', (t) => {
  const { store, directory, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a.jpg')]);
  store.photos.commit(modelId, [finished(a!)], []);
  store.settings.set('theme', { name: 'dark' });
  const before = [store.photos.get(a!), store.embeddings.all(modelId), store.roots.list()];
  store.close();
  store.close();
  const again = openStore({ directory, now });
  t.after(() => again.close());
  assert.deepEqual([again.photos.get(a!), again.embeddings.all(modelId), again.roots.list()], before);
  assert.deepEqual(again.settings.get('theme'), { name: 'dark' });
  assert.equal(again.settings.get('nothing'), undefined);
  assert.ok(again.sizes().library > 0);
});

test('the file is WAL with pages of 16 KiB, and carries our mark', (t) => {
  const { store, directory } = storeWithModel(t);
  store.close();
  const header = readFileSync(join(directory, 'library.db')).subarray(0, 100);
  assert.equal(header.readUInt16BE(16), 16_384);
  assert.deepEqual([header[18], header[19]], [2, 2], 'WAL');
  assert.equal(header.toString('latin1', 68, 72), 'AfIm');
});

test('a second opening in the same process is refused, and allowed after the first has closed', (t) => {
  const { store, directory } = storeWithModel(t);
  assert.throws(
    () => openStore({ directory, now }),
    (error: AppError) => error.code === 'library-locked' && error.details?.['pid'] === process.pid,
  );
  store.close();
  openStore({ directory, now }).close();
});

test('a second process is refused with the pid of the first, may read, and takes over after a kill -9', async (t) => {
  const directory = temporaryFolder(t);
  const child = await startWriter(t, directory);
  assert.throws(
    () => openStore({ directory, now }),
    (error: AppError) =>
      error.code === 'library-locked' &&
      error.details?.['pid'] === child.pid &&
      error.message.includes(String(child.pid)),
  );
  const reader = openStore({ directory, now, readOnly: true });
  assert.equal(reader.readOnly, true);
  assert.equal(reader.photos.counts().indexed, 4);
  assert.throws(() => reader.settings.set('a', 1), { code: 'library-locked' });
  assert.throws(() => reader.roots.add('/x', 1), { code: 'library-locked' });
  reader.close();
  child.kill('SIGKILL');
  await once(child, 'exit');
  const owner = openStore({ directory, now });
  t.after(() => owner.close());
  assert.equal(owner.photos.counts().indexed, 4);
});

test('a reader works where there is no owner, and needs a library to read', (t) => {
  const { store, directory, rootId, modelId } = storeWithModel(t);
  const [a] = store.photos.add(rootId, [file('a.jpg')]);
  store.photos.commit(modelId, [finished(a!, { thumbnail: Uint8Array.of(1) })], []);
  store.close();
  const reader = openStore({ directory, now, readOnly: true });
  t.after(() => reader.close());
  assert.equal(reader.photos.counts().indexed, 1);
  assert.deepEqual(reader.thumbnails.get(a!), Buffer.of(1));
  reader.thumbnails.put([{ photoId: a!, webp: Uint8Array.of(2) }]);
  assert.deepEqual(reader.thumbnails.get(a!), Buffer.of(1));
  assert.throws(() => openStore({ directory: join(directory, 'none'), now, readOnly: true }), {
    code: 'not-found',
  });
});

function refusesAndKeeps(directory: string, code: string): void {
  const path = join(directory, 'library.db');
  const before = readFileSync(path);
  assert.throws(
    () => openStore({ directory, now }),
    (error: AppError) => {
      assert.equal(error.code, code);
      assert.ok(error.message.includes(path), error.message);
      return true;
    },
  );
  assert.deepEqual(readFileSync(path), before, 'the file is left as it was');
}

test('a text file in the library’s place is refused and kept', (t) => {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, 'library.db'), 'Dear diary,\n'.repeat(100));
  refusesAndKeeps(directory, 'library-damaged');
});

test('a few stray bytes are refused and kept', (t) => {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, 'library.db'), 'SQLite format 3\0');
  refusesAndKeeps(directory, 'library-damaged');
});

test('another program’s database is refused and kept', (t) => {
  const directory = temporaryFolder(t);
  const other = new Database(join(directory, 'library.db'));
  other.exec('CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES (1)');
  other.close();
  refusesAndKeeps(directory, 'library-damaged');
});

test('a folder in the library’s place is refused', (t) => {
  const directory = temporaryFolder(t);
  mkdirSync(join(directory, 'library.db'));
  assert.throws(() => openStore({ directory, now }), { code: 'library-damaged' });
});

test('a library cut short is refused and kept', (t) => {
  const { store, directory } = storeWithModel(t);
  store.close();
  const path = join(directory, 'library.db');
  truncateSync(path, statSync(path).size - 5 * 16_384);
  refusesAndKeeps(directory, 'library-damaged');
});

test('zeroed pages are refused or reported as damage, never read as data', (t) => {
  const { store, directory, rootId } = storeWithModel(t);
  store.photos.add(
    rootId,
    Array.from({ length: 500 }, (_, n) => file(`folder/${n}.jpg`)),
  );
  store.close();
  const path = join(directory, 'library.db');
  const whole = readFileSync(path);
  for (let page = 1; page < whole.length / 16_384; page += 1) {
    const copy = Buffer.from(whole);
    copy.fill(0, page * 16_384, (page + 1) * 16_384);
    writeFileSync(path, copy);
    try {
      const opened = openStore({ directory, now });
      try {
        const rows = opened.photos.files(rootId);
        assert.ok(rows.length === 500, `page ${page}: ${rows.length} rows`);
      } finally {
        opened.close();
      }
    } catch (thrown) {
      assert.ok(thrown instanceof AppError, `page ${page}: ${String(thrown)}`);
      assert.equal(thrown.code, 'library-damaged', `page ${page}: ${thrown.message}`);
    }
  }
});

test('an empty file, as a crash may leave it, becomes a library', (t) => {
  const directory = temporaryFolder(t);
  writeFileSync(join(directory, 'library.db'), '');
  const store = openStore({ directory, now });
  t.after(() => store.close());
  assert.equal(store.photos.counts().total, 0);
});

test('a library of a newer version is refused and kept', (t) => {
  const { store, directory } = storeWithModel(t);
  store.close();
  const raw = new Database(join(directory, 'library.db'));
  raw.pragma('user_version = 999');
  raw.close();
  refusesAndKeeps(directory, 'library-newer');
});

test('closing leaves no lock behind', (t) => {
  const { store, directory } = storeWithModel(t);
  store.close();
  assert.deepEqual(readdirSync(directory).toSorted(), ['library.db', 'lock.db', 'thumbnails.db']);
});
