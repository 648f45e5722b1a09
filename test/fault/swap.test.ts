/** Pulls the plug, and fills the disk, while a head is put into use: the library is as it was, or whole with the head. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statfsSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { seeded } from '../bench/photos.ts';
import { headLibrary, noisyIdentity, type Opened } from '../unit/engine/head-library.ts';

const child = fileURLToPath(new URL('swap-process.ts', import.meta.url));
const dims = 32;

/** Every vector of the model in use is there and the head's of the pack's, or the pack's own. */
async function assertWhole({ store, models }: Opened, photos: number): Promise<void> {
  const { base, head, modelId, index } = await models.ready();
  assert.equal(store.embeddings.count(base.modelId), photos, 'no photo is decoded again');
  assert.equal(index.size, photos);
  if (head === null) return;
  assert.equal(store.embeddings.underived(modelId, base.modelId, { limit: 1 }).ids.length, 0);
  for (let id = 1; id <= photos; id += 97) {
    const expected = head.projection.project(store.embeddings.get(base.modelId, id)!);
    const stored = store.embeddings.get(modelId, id)!;
    for (let d = 0; d < dims; d += 1) assert.ok(Math.abs(expected[d]! - stored[d]!) < 1e-5, `photo ${id}`);
  }
}

test('a swap that is killed at any moment leaves what was in use, and the next attempt finishes it', async (t) => {
  const photos = 6_000;
  const place = headLibrary(t, photos, dims);
  const first = place.open();
  const runId = place.addHead(first.store, noisyIdentity(dims, 0.5));
  await first.models.ready();
  await first.models.index()!.built();
  await first.models.index()!.save();
  const queries = Array.from({ length: 20 }, place.next);
  const before = queries.map((query) => first.search(query));
  await first.close();
  const random = seeded(11);
  let killed = 0;
  let partial = 0;
  let swapped = 0;
  for (let round = 0; round < 9; round += 1) {
    const process = spawn(globalThis.process.execPath, [child, place.directory, `${dims}`, `${runId}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Two of three are killed between two writes of vectors, the others about when the index is swapped in.
    let writes = round % 3 === 2 ? Infinity : 1 + Math.floor(random() * 20);
    const watcher = watch(place.directory, (_event, name) => {
      if (name === 'library.db-wal' && (writes -= 1) <= 0) process.kill('SIGKILL');
    });
    let said = '';
    let timer: NodeJS.Timeout | undefined;
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (writes === Infinity && said.includes('index 0'))
        timer ??= setTimeout(() => process.kill('SIGKILL'), random() * 150);
    });
    await once(process, 'close');
    clearTimeout(timer);
    watcher.close();
    if (process.signalCode === 'SIGKILL') killed += 1;
    const opened = place.open();
    await assertWhole(opened, photos);
    const { head, base } = await opened.models.ready();
    await opened.models.index()!.built();
    if (head === null) {
      assert.deepEqual(
        queries.map((query) => opened.search(query)),
        before,
      );
      const { hash } = opened.store.runs.head(runId)!;
      const written = opened.store.embeddings.count(
        opened.store.embeddings.derivedModel(base.modelId, runId, hash),
      );
      if (written > 0) partial += 1;
    } else {
      swapped += 1;
      await opened.heads.use(null);
      assert.deepEqual(
        queries.map((query) => opened.search(query)),
        before,
        'undone, it finds what it found',
      );
    }
    await opened.close();
  }
  t.diagnostic(`${killed} killed, ${partial} with vectors half written, ${swapped} after the swap`);
  assert.ok(killed >= 6 && partial >= 1, 'the process was too quick to be killed in its midst');
  const last = place.open();
  await last.heads.use(runId);
  await assertWhole(last, photos);
  assert.equal((await last.models.ready()).head?.runId, runId);
});

/** A drive of its own; undefined where this process may not mount one. */
function smallDrive(t: TestContext, megabytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'afterimage-drive-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  t.after(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

test('on a drive that is full a head is refused beforehand, or given up half-way, and search goes on', async (t) => {
  const drive = smallDrive(t, 200);
  if (drive === undefined) {
    t.skip('NO DRIVE CAN BE MOUNTED HERE');
    return;
  }
  const photos = 12_000;
  // The library has to be gone before its drive is.
  await t.test('library', async (inner) => {
    const place = headLibrary(inner, photos, dims, drive);
    const honest = place.open();
    const runId = place.addHead(honest.store, noisyIdentity(dims, 0.5));
    const queries = Array.from({ length: 10 }, place.next);
    const exact = (opened: Opened) =>
      queries.map((query) => opened.models.index()!.search(query, { k: 10, method: 'exact' }).neighbours);
    await honest.models.ready();
    const before = exact(honest);
    const ballast = join(drive, 'ballast');
    const { bavail, bsize } = statfsSync(drive);
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - 2 ** 20));
    await assert.rejects(honest.heads.use(runId), { code: 'disk-full', message: /needs \d+ MB/ });
    assert.deepEqual(exact(honest), before);
    await honest.close();
    // Room when it is asked for, and none when it is written: somebody else was quicker.
    const opened = place.open({ freeBytes: () => Promise.resolve(Infinity) });
    await opened.models.ready();
    await assert.rejects(opened.heads.use(runId), { code: 'disk-full' });
    assert.ok(opened.projected() > 0);
    await assertWhole(opened, photos);
    assert.deepEqual(exact(opened), before);
    await opened.close();
    rmSync(ballast);
    const again = place.open({ freeBytes: () => Promise.resolve(Infinity) });
    await assertWhole(again, photos);
    assert.deepEqual(exact(again), before);
    await again.heads.use(runId);
    await assertWhole(again, photos);
    assert.equal((await again.models.ready()).head?.runId, runId);
  });
});
