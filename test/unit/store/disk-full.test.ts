import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { openConnection } from '../../../main/engine/store/connection.ts';
import { createTables } from '../../../main/engine/store/store.ts';
import { file, finished, now, temporaryFolder } from './temporary-library.ts';

test('a full disk fails the batch as disk-full, keeps what was there, and goes on when there is room', (t) => {
  const directory = temporaryFolder(t);
  const path = join(directory, 'library.db');
  const { db } = openConnection({ path, readOnly: false, now });
  t.after(() => db.close());
  const { roots, photos, embeddings, snapshots } = createTables(db, path, { put() {}, dropUnused() {} });
  const rootId = roots.add('/photos', now()).id;
  const modelId = embeddings.model('fingerprint-a', 'starter', 4_096);
  const photo = (id: number) => finished(id, { vector: new Float32Array(4_096).fill(1 / 64) });
  const ids = photos.add(
    rootId,
    Array.from({ length: 64 }, (_, n) => file(`${n}.jpg`)),
  );
  const generation = photos.commit(modelId, ids.slice(0, 8).map(photo), []);

  // SQLite answers a file that may not grow and a disk without space with the same SQLITE_FULL.
  db.pragma(`max_page_count = ${Number(db.pragma('page_count', { simple: true })) + 4}`);
  assert.throws(() => photos.commit(modelId, ids.slice(8).map(photo), []), { code: 'disk-full' });
  assert.throws(
    () => snapshots.write(modelId, { generation, count: 1, dims: 4_096 }, [new Uint8Array(2 ** 20)]),
    { code: 'disk-full' },
  );
  assert.deepEqual(photos.counts(), { total: 64, indexed: 8, failed: 0, pending: 56 });
  assert.equal(embeddings.count(modelId), 8);
  assert.equal(embeddings.generation(), generation);

  db.pragma('max_page_count = 100000');
  photos.commit(modelId, ids.slice(8).map(photo), []);
  assert.equal(photos.counts().indexed, 64);
});
