/** Pulls the plug at random moments while photos are indexed: nothing committed is lost, nothing is doubled. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { watch, type FSWatcher } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from '../../main/engine/store/store.ts';
import { makePhotos, seeded } from '../bench/photos.ts';

const cli = fileURLToPath(new URL('../../main/shell/cli/bin.ts', import.meta.url));
const kills = 50;
const photos = 360;

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
  readonly stdout: string;
}

/** When to pull the plug: so long after the start, or after a number of writes to the library's log; null never. */
type Plug = { readonly afterMs: number } | { readonly writes: number; readonly thenMs: number } | null;

/** Runs `afterimage index` until its end or until the plug is pulled. */
function index(library: string, folder: string, plug: Plug): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [cli, '--library', library, '--json', 'index', folder], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let timer: NodeJS.Timeout | undefined;
    const kill = (): boolean => child.kill('SIGKILL');
    let watcher: FSWatcher | undefined;
    if (plug !== null && 'afterMs' in plug) timer = setTimeout(kill, plug.afterMs);
    if (plug !== null && 'writes' in plug) {
      let left = plug.writes;
      watcher = watch(library, (_event, name) => {
        if (name !== 'library.db-wal' || (left -= 1) !== 0) return;
        timer = setTimeout(kill, plug.thenMs);
      });
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.resume();
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      watcher?.close();
      resolve({ code, signal, stdout });
    });
  });
}

/** What the library holds: indexed photo by path, with its vector. Fails when a row is half written. */
function committed(library: string): Map<string, Float32Array> {
  const store = openStore({ directory: library, now: Date.now });
  try {
    const model = store.embeddings.activeModel();
    const found = new Map<string, Float32Array>();
    for (const root of store.roots.list()) {
      for (const file of store.photos.files(root.id)) {
        assert.equal(found.has(file.relPath), false, `${file.relPath} is there twice`);
        const photo = store.photos.get(file.id);
        assert.ok(photo);
        const vector = model && store.embeddings.get(model.modelId, file.id);
        assert.equal(photo.status === 'indexed', vector !== undefined, `${file.relPath} is half a row`);
        if (photo.status !== 'indexed') continue;
        assert.ok(photo.hash !== null && photo.metadata !== null && vector !== undefined);
        found.set(file.relPath, vector);
      }
    }
    return found;
  } finally {
    store.close();
  }
}

test(`${kills} kills at random moments lose nothing that was committed, and the next run finishes the job`, async (t) => {
  const work = await mkdtemp(join(tmpdir(), 'afterimage-kill-'));
  try {
    const folder = join(work, 'photos');
    const library = join(work, 'library');
    await makePhotos(folder, { count: photos, width: 320, height: 240 });
    const random = seeded(9);
    let before = new Map<string, Float32Array>();
    let killed = 0;
    let grew = 0;
    await mkdir(library);
    for (let round = 0; round < kills; round += 1) {
      // A fifth of the kills fall while it starts, the others within and between its transactions.
      const plug =
        random() < 0.2
          ? { afterMs: random() * 900 }
          : { writes: 1 + Math.floor(random() * 8), thenMs: random() * 40 };
      const ended = await index(library, folder, plug);
      if (ended.signal === 'SIGKILL') killed += 1;
      const now = committed(library);
      for (const [path, vector] of before)
        assert.deepEqual(now.get(path), vector, `${path} was lost or changed`);
      if (now.size > before.size) grew += 1;
      before = now;
    }
    const last = await index(library, folder, null);
    assert.equal(last.code, 0, last.stdout);
    const report = JSON.parse(last.stdout) as { photos: number; indexed: number; failed: unknown[] };
    assert.equal(report.photos, photos);
    assert.deepEqual(report.failed, []);
    const after = committed(library);
    assert.equal(after.size, photos);
    for (const [path, vector] of before)
      assert.deepEqual(after.get(path), vector, `${path} was lost or changed`);
    const again = JSON.parse((await index(library, folder, null)).stdout) as {
      indexed: number;
      unchanged: number;
    };
    assert.deepEqual([again.indexed, again.unchanged], [0, photos]);
    t.diagnostic(`${killed} of ${kills} runs were killed; ${grew} of them had committed photos`);
    assert.equal(killed, kills, 'a run ended before it could be killed: add photos');
    assert.ok(grew >= 5, 'no kill fell within the work');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
});
