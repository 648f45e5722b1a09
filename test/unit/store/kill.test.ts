import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { openStore } from '../../../main/engine/store/store.ts';
import { now, temporaryFolder } from './temporary-library.ts';

const writer = fileURLToPath(new URL('writer-process.ts', import.meta.url));

test('kill -9 in the middle of commits loses no committed batch and leaves no half one', async (t) => {
  const directory = temporaryFolder(t);
  let seed = 7;
  for (let round = 0; round < 10; round += 1) {
    const child = spawn(process.execPath, [writer, directory, 'write'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let text = '';
    // Killed after a random number of commits, at whatever the process does just then.
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    const most = 1 + (seed % 60);
    child.stdout.setEncoding('utf8').on('data', (data: string) => {
      text += data;
      if (text.split('\n').length > most) child.kill('SIGKILL');
    });
    await once(child, 'close');
    assert.equal(child.signalCode, 'SIGKILL');
    const told = Number(text.split('\n').at(-2));

    const store = openStore({ directory, now });
    try {
      const modelId = store.embeddings.model('fingerprint-a', 'starter', 4);
      const { indexed, total } = store.photos.counts();
      assert.ok(store.embeddings.generation() >= told, 'a commit that was told is there');
      assert.equal(store.embeddings.count(modelId), indexed, 'every indexed photo has its vector');
      assert.equal(indexed % 4, 0, 'no half batch');
      assert.ok(total - indexed === 0 || total - indexed === 4, 'at most the batch in flight is pending');
      const pending = store.photos.pending({ limit: 10 }).map((row) => row.id);
      store.photos.remove(pending);
    } finally {
      store.close();
    }
  }
  const raw = new Database(join(directory, 'library.db'), { readonly: true });
  assert.equal(raw.pragma('integrity_check', { simple: true }), 'ok');
  raw.close();
});
