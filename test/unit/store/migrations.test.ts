import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import Database from 'better-sqlite3';
import { openConnection } from '../../../main/engine/store/connection.ts';
import {
  libraryVersion,
  migrate,
  migrations,
  type Migration,
} from '../../../main/engine/store/migrations/migrate.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import { run } from './learning-fixtures.ts';
import { dims, finished, hashOf, now, temporaryFolder } from './temporary-library.ts';

/** What a version-N library held, written with the SQL of its time: never edited once N is released. */
const contents: readonly ((db: Database.Database) => void)[] = [
  (db) => {
    db.exec(`
      INSERT INTO roots (id, path, folded_path, added_at) VALUES (1, '/Photos', '/photos', 5);
      INSERT INTO photos (id, root_id, rel_path, folded_path, bytes, mtime_ms, hash, status, width, height, format)
        VALUES (1, 1, 'A.jpg', 'a.jpg', 101, 1001, '${hashOf(1)}', 'indexed', 640, 480, 'jpeg');
      INSERT INTO photos (id, root_id, rel_path, folded_path, bytes, mtime_ms, status, error)
        VALUES (2, 1, 'b.jpg', 'b.jpg', 1, 1, 'failed', '{"code":"image-broken","message":"It is broken."}');
      INSERT INTO models (id, fingerprint, pack_id, dims) VALUES (1, 'fingerprint-a', 'starter', ${dims});
      UPDATE state SET active_model = 1, generation = 9;
      INSERT INTO settings (key, value) VALUES ('theme', '"dark"');
    `);
    const { vector } = finished(1);
    db.prepare('INSERT INTO embeddings VALUES (4294967297, 1, 1, 9, ?)').run(Buffer.from(vector.buffer));
  },
  (db) => {
    db.exec(`
      INSERT INTO roots (id, path, folded_path, added_at) VALUES (1, '/Photos', '/photos', 5);
      INSERT INTO photos (id, root_id, rel_path, folded_path, bytes, mtime_ms, hash, described_hash, status, width, height, format)
        VALUES (1, 1, 'A.jpg', 'a.jpg', 101, 1001, '${hashOf(1)}', '${hashOf(1)}', 'indexed', 640, 480, 'jpeg');
      INSERT INTO words (rowid, hand, model, name) VALUES (1, 'grandma', '', 'a');
      INSERT INTO phrases (rowid, caption, path) VALUES (1, 'grandma', 'a.jpg a');
      INSERT INTO photos (id, root_id, rel_path, folded_path, bytes, mtime_ms, status, error)
        VALUES (2, 1, 'b.jpg', 'b.jpg', 1, 1, 'failed', '{"code":"image-broken","message":"It is broken."}');
      INSERT INTO models (id, fingerprint, pack_id, dims) VALUES (1, 'fingerprint-a', 'starter', ${dims});
      UPDATE state SET active_model = 1, generation = 9, words_generation = 4;
      INSERT INTO settings (key, value) VALUES ('theme', '"dark"');
      INSERT INTO hand_captions VALUES ('${hashOf(1)}', 'Grandma', 7);
      INSERT INTO model_captions VALUES ('${hashOf(1)}', 'captioner', 'starter', 'a woman', 1, 0.7, 6);
      INSERT INTO answers VALUES ('${hashOf(1)}', 'answerer', 'who', 'Who?', 'a woman', 1, 0.5, '[]', 'starter', 8);
      INSERT INTO tags VALUES (1, 'Woman', 'woman', '["a woman"]');
      INSERT INTO tag_words (rowid, name) VALUES (1, 'woman');
      INSERT INTO photo_tags VALUES (1, 1, 1, 0.8);
      INSERT INTO tagged VALUES (1, 1, 9);
      INSERT INTO albums VALUES (1, 'Family', 'family', NULL, 1, 5);
      INSERT INTO album_places VALUES (1, 1, 1, '${hashOf(1)}', 1);
    `);
    const { vector } = finished(1);
    db.prepare('INSERT INTO embeddings VALUES (4294967297, 1, 1, 9, ?)').run(Buffer.from(vector.buffer));
  },
  (db) => {
    db.exec(`
      INSERT INTO roots (id, path, folded_path, added_at) VALUES (1, '/Photos', '/photos', 5);
      INSERT INTO photos (id, root_id, rel_path, folded_path, bytes, mtime_ms, hash, described_hash, status, width, height, format)
        VALUES (1, 1, 'A.jpg', 'a.jpg', 101, 1001, '${hashOf(1)}', '${hashOf(1)}', 'indexed', 640, 480, 'jpeg');
      INSERT INTO words (rowid, hand, model, name) VALUES (1, 'grandma', '', 'a');
      INSERT INTO phrases (rowid, caption, path) VALUES (1, 'grandma', 'a.jpg a');
      INSERT INTO photos (id, root_id, rel_path, folded_path, bytes, mtime_ms, status, error)
        VALUES (2, 1, 'b.jpg', 'b.jpg', 1, 1, 'failed', '{"code":"image-broken","message":"It is broken."}');
      INSERT INTO models (id, fingerprint, pack_id, dims) VALUES (1, 'fingerprint-a', 'starter', ${dims});
      UPDATE state SET active_model = 1, generation = 9, words_generation = 4;
      INSERT INTO settings (key, value) VALUES ('theme', '"dark"');
      INSERT INTO hand_captions VALUES ('${hashOf(1)}', 'Grandma', 7);
      INSERT INTO model_captions VALUES ('${hashOf(1)}', 'captioner', 'starter', 'a woman', 1, 0.7, 6);
      INSERT INTO answers VALUES ('${hashOf(1)}', 'answerer', 'who', 'Who?', 'a woman', 1, 0.5, '[]', 'starter', 8);
      INSERT INTO tags VALUES (1, 'Woman', 'woman', '["a woman"]');
      INSERT INTO tag_words (rowid, name) VALUES (1, 'woman');
      INSERT INTO photo_tags VALUES (1, 1, 1, 0.8);
      INSERT INTO tagged VALUES (1, 1, 9);
      INSERT INTO albums VALUES (1, 'Family', 'family', NULL, 1, 5);
      INSERT INTO album_places VALUES (1, 1, 1, '${hashOf(1)}', 1);
      INSERT INTO feedback VALUES ('${hashOf(1)}', 'my dog', 'My dog', 1, 8);
      INSERT INTO past_queries VALUES ('my dog', 'My dog', 8, 2);
      INSERT INTO names VALUES (1, 'Rex', 'rex', 'dog', 8);
      INSERT INTO name_photos VALUES (1, '${hashOf(1)}', 1, 3);
      INSERT INTO runs VALUES (1, 'fingerprint-a', '${JSON.stringify(run())}');
      INSERT INTO run_checkpoints VALUES (1, x'0102');
      INSERT INTO heads VALUES (1, 'linear', 'fingerprint-a', 2,
        '37abb222bc2878349e25caf0f7a9dbcfbc4b13ef2845eda4d6a730117ff70a65', '[["b",[2]],["w",[2,2]]]',
        x'0000803f000000400000803f00000000000000000000803f');
      INSERT INTO models (id, fingerprint, pack_id, dims, base_model_id, run_id)
        VALUES (2, 'fingerprint-a+1.x', 'starter', ${dims}, 1, 1);
      INSERT INTO photo_tags VALUES (2, 1, 1, 0.8);
      UPDATE state SET active_model = 2, ordering_run = 1;
    `);
    const { vector } = finished(1);
    const put = db.prepare('INSERT INTO embeddings VALUES (? * 4294967296 + 1, ?, 1, 9, ?)');
    for (const model of [1, 2]) put.run(BigInt(model), model, Buffer.from(vector.buffer));
  },
];

/** A library of a version as the migrations up to it made it. */
function makeLibrary(directory: string, version: number): void {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'library.db');
  const { db } = openConnection({ path, readOnly: false, now, migrations: migrations.slice(0, version) });
  contents[version - 1]!(db);
  db.close();
}

test('every version has a fixture to migrate from', () => {
  assert.equal(contents.length, migrations.length);
});

for (let version = 1; version <= migrations.length; version += 1)
  test(`a library of version ${version} opens with everything it held`, (t) => {
    const directory = temporaryFolder(t);
    makeLibrary(directory, version);
    const store = openStore({ directory, now });
    t.after(() => store.close());
    assert.deepEqual(
      store.roots.list().map((root) => root.path),
      ['/Photos'],
    );
    assert.equal(store.photos.get(1)?.status, 'indexed');
    assert.equal(store.photos.get(2)?.error?.code, 'image-broken');
    assert.deepEqual(store.photos.filter({ in: ['photos/a'] }), [1]);
    assert.deepEqual(store.embeddings.get(1, 1), finished(1).vector);
    assert.equal(store.embeddings.activeModel()?.packId, 'starter');
    assert.equal(store.embeddings.generation(), 9);
    assert.equal(store.settings.get('theme'), 'dark');
    assert.deepEqual(store.words.phrase('a'), [1], 'file names can be found as words');
    if (version < 2) return;
    assert.equal(store.captions.get(1)?.text, 'Grandma');
    assert.equal(store.captions.ofModel(1, 'captioner')?.text, 'a woman');
    assert.equal(store.answers.history(1)[0]?.answer, 'a woman');
    assert.deepEqual(store.photos.filter({ phrases: ['grandma'], tags: ['WOMAN'], albums: ['family'] }), [1]);
    assert.equal(store.words.generation(), 4);
    if (version < 3) {
      assert.deepEqual(store.feedback.counts(), { up: 0, down: 0 });
      assert.deepEqual(store.names.list(), []);
      assert.deepEqual(store.runs.list(), []);
      assert.equal(store.embeddings.activeModel()?.base, null);
      return;
    }
    assert.deepEqual(store.feedback.of('my DOG', [1, 2]), new Map([[1, 'up']]));
    assert.deepEqual(store.queries.list(9), [{ text: 'My dog', at: 8, times: 2 }]);
    assert.deepEqual(store.names.find('REX'), { id: 1, name: 'Rex', kind: 'dog', photos: 1, createdAt: 8 });
    assert.deepEqual(store.runs.list(), [{ ...run(), id: 1, fingerprint: 'fingerprint-a' }]);
    assert.deepEqual(store.runs.checkpoint(1), Buffer.of(1, 2));
    assert.deepEqual(store.runs.head(1)?.parameters['w'], {
      shape: [2, 2],
      values: Float32Array.of(1, 0, 0, 1),
    });
    assert.deepEqual(store.embeddings.activeModel()?.base, {
      modelId: 1,
      fingerprint: 'fingerprint-a',
      runId: 1,
    });
    assert.deepEqual(store.embeddings.get(2, 1), finished(1).vector);
    assert.equal(store.runs.ordering(), 1);
  });

test('a library of version 1 or 2 can learn at once', (t) => {
  for (const version of [1, 2]) {
    const directory = join(temporaryFolder(t), String(version));
    makeLibrary(directory, version);
    const store = openStore({ directory, now });
    store.feedback.set(1, 'dog', 'down', 1);
    const rex = store.names.add({ name: 'Rex', kind: null, createdAt: 1 });
    store.names.put(rex.id, [1]);
    assert.deepEqual(store.feedback.counts(), { up: 0, down: 1 });
    assert.deepEqual(store.names.photos(rex.id), [1]);
    store.close();
  }
});

test('what a library of version 1 held can be described at once', (t) => {
  const directory = temporaryFolder(t);
  makeLibrary(directory, 1);
  const store = openStore({ directory, now });
  t.after(() => store.close());
  store.captions.setHand(1, 'Gisela in Rome', 1);
  assert.deepEqual(
    store.words.search('gisela', { limit: 9 }).hits.map(({ photoId }) => photoId),
    [1],
  );
  assert.deepEqual(store.captions.counts(), { total: 1, captioned: 1 });
});

const addShelves: Migration = (db) => db.exec('CREATE TABLE shelves (id INTEGER PRIMARY KEY) STRICT');
const failHalfway: Migration = (db) => {
  db.exec('CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT');
  throw new Error('the power went');
};

test('an older library is backed up before it is migrated, and the backup is whole', (t) => {
  const directory = temporaryFolder(t);
  makeLibrary(directory, migrations.length);
  const path = join(directory, 'library.db');
  const { db, backup } = openConnection({
    path,
    readOnly: false,
    now,
    migrations: [...migrations, addShelves],
  });
  assert.equal(libraryVersion(db), migrations.length + 1);
  db.close();
  assert.deepEqual(readdirSync(join(directory, 'backups')), [
    `library-v${migrations.length}-2026-01-02T03-04-05-000Z.db`,
  ]);
  const restored = join(directory, 'restored');
  mkdirSync(restored);
  copyFileSync(backup!, join(restored, 'library.db'));
  const store = openStore({ directory: restored, now });
  t.after(() => store.close());
  assert.equal(store.photos.counts().indexed, 1);
});

test('a new library is not backed up', (t) => {
  const directory = temporaryFolder(t);
  openStore({ directory, now }).close();
  assert.equal(readdirSync(directory).includes('backups'), false);
});

test('a migration that breaks off leaves the version before it, whole', (t) => {
  const directory = temporaryFolder(t);
  makeLibrary(directory, migrations.length);
  const path = join(directory, 'library.db');
  assert.throws(
    () =>
      openConnection({ path, readOnly: false, now, migrations: [...migrations, addShelves, failHalfway] }),
    { code: 'internal' },
  );
  const raw = new Database(path);
  t.after(() => raw.close());
  assert.equal(libraryVersion(raw), migrations.length + 1, 'the step before it is done');
  const tables = raw
    .prepare(`SELECT name FROM sqlite_schema WHERE name IN ('shelves', 'half')`)
    .pluck()
    .all();
  assert.deepEqual(tables, ['shelves']);
  migrate(raw, path, () => now() + 1, [...migrations, addShelves, addShelfNames]);
  assert.equal(libraryVersion(raw), migrations.length + 2);
});
const addShelfNames: Migration = (db) => db.exec('ALTER TABLE shelves ADD COLUMN name TEXT');

test('a reader does not migrate: it asks for an owner to do so', (t) => {
  const directory = temporaryFolder(t);
  makeLibrary(directory, migrations.length);
  assert.throws(
    () =>
      openConnection({
        path: join(directory, 'library.db'),
        readOnly: true,
        now,
        migrations: [...migrations, addShelves],
      }),
    { code: 'not-supported' },
  );
});
