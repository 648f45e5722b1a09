/**
 * Every odd file is decoded upright or reported with a code: no crash, no hang. A collection of 175 files from public
 * test suites is used where it lies beside the checkout (shared/data/formats.tar); it is not ours to commit.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createDecoder } from '../../../main/engine/inference/decoder.ts';
import { createNodeSpawner } from '../../../main/engine/inference/node-spawner.ts';
import type { ImageSpec } from '../../../main/engine/inference/types.ts';
import { AppError } from '../../../main/errors.ts';
import { silentLog } from '../../../main/engine/log.ts';

const archive = join(import.meta.dirname, '../../../../shared/data/formats.tar');
const spec: ImageSpec = {
  resize: { shortestEdge: 32 },
  crop: { width: 32, height: 32 },
  resample: 3,
  rescale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

interface Row {
  readonly file: string;
  readonly w?: number | null;
  readonly h?: number | null;
  readonly tags: readonly string[];
}

test(
  'every file of the collection of odd formats is decoded upright or reported with a code',
  { skip: existsSync(archive) ? false : 'the collection of odd formats is not on this machine' },
  async (context) => {
    const dir = await mkdtemp(join(tmpdir(), 'afterimage-formats-'));
    context.after(() => rm(dir, { recursive: true }));
    execFileSync('tar', ['xf', archive, '-C', dir]);
    const rows = (await readFile(archive.replace(/\.tar$/, '.jsonl'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
    const known = new Map(rows.map((row) => [row.file, row]));
    // One file in a process of another makes no odds: two processes of four photos are asked at once.
    const decoder = createDecoder({
      spawn: createNodeSpawner({ log: silentLog }),
      log: silentLog,
      concurrency: 8,
      timeoutMs: 20_000,
    });
    context.after(() => decoder.close());
    const files: string[] = [];
    for (const name of await readdir(dir, { recursive: true })) {
      if ((await stat(join(dir, name))).isFile()) files.push(name);
    }
    assert.ok(files.length >= 170);
    const codes = new Map<string, number>();
    await Promise.all(
      files.map(async (name) => {
        let outcome: string;
        try {
          const photo = await decoder.decode({ path: join(dir, name) }, { spec, thumbnail: true });
          outcome = 'decoded';
          assert.equal(photo.pixels.length, 32 * 32 * 3);
          assert.ok((photo.thumbnail?.byteLength ?? 0) > 0);
          const row = known.get(name);
          // Where Pillow could not read the file, its idea of the size is not worth much either.
          const sound = row?.tags.every((tag) => !tag.startsWith('pil-error')) === true;
          if (sound && typeof row.w === 'number' && typeof row.h === 'number') {
            const turned = row.tags.some((tag) => /^orientation[5-8]$/.test(tag));
            const expected = turned ? [row.h, row.w] : [row.w, row.h];
            const found = [photo.metadata.width, photo.metadata.height];
            assert.ok(
              found.join() === expected.join() || found.join() === [row.w, row.h].join(),
              `${name}: ${found.join(' x ')} instead of ${expected.join(' x ')}`,
            );
          }
        } catch (thrown) {
          if (!(thrown instanceof AppError)) throw thrown;
          outcome = thrown.code;
          assert.ok(
            ['image-broken', 'image-unsupported', 'image-too-large', 'image-timeout'].includes(thrown.code),
            `${name}: ${thrown.code} ${thrown.message}`,
          );
          assert.ok(!thrown.message.includes(dir), 'a message names the file, not its whole path');
        }
        codes.set(outcome, (codes.get(outcome) ?? 0) + 1);
      }),
    );
    context.diagnostic([...codes].map(([name, count]) => `${name} ${String(count)}`).join(', '));
    assert.ok((codes.get('decoded') ?? 0) >= 80);
  },
);
