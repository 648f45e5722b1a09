/** The lab's calls over a real engine: heads, a study of captioned photos, the report that is kept, and what is refused. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import sharp from 'sharp';
import type { LabProgress } from '../../../../main/contract.ts';
import { createEngine } from '../../../../main/engine/engine.ts';
import { silentLog } from '../../../../main/engine/log.ts';
import { labHeadNames } from '../../../../main/engine/tune/lab/registry.ts';
import { studyCaptions } from '../../../../main/engine/tune/lab/study-figures.ts';
import type { Engine } from '../../../../main/engine/types.ts';
import { createNodeSpawner } from '../../../../main/engine/workers.ts';
import { makePack } from '../../../fixtures/make-pack.ts';

const colours = ['red', 'green', 'blue', 'yellow', 'white', 'black'] as const;
const photoCount = 26;
let place: string;
let folder: string;
let engine: Engine;

before(async () => {
  place = await mkdtemp(join(tmpdir(), 'afterimage-lab-'));
  folder = join(place, 'photos');
  await mkdir(folder);
  await makePack({
    dir: join(place, 'models', 'starter'),
    family: 'clip',
    shape: 'tiny',
    seed: 1,
    id: 'starter',
  });
  const lines = ['image,caption'];
  for (let i = 0; i < photoCount; i++) {
    const colour = colours[i % colours.length]!;
    const name = `${String(i)}.png`;
    await sharp({ create: { width: 40 + i, height: 40, channels: 3, background: colour } })
      .png()
      .toFile(join(folder, name));
    lines.push(`${name},something ${colour} number ${String(i)}`, `${name},all ${colour}`);
  }
  await writeFile(join(folder, 'broken.png'), 'no picture');
  lines.push('broken.png,nothing at all');
  await writeFile(join(folder, 'captions.txt'), lines.join('\n'));
  engine = await createEngine({
    directory: join(place, 'library'),
    modelsDirectory: join(place, 'models'),
    spawn: createNodeSpawner({ log: silentLog }),
    now: () => 1_700_000_000_000,
    log: silentLog,
    watch: false,
  });
  await engine.call('roots.add', { grant: engine.grant(folder) });
  await engine.call('indexing.run', {});
});
after(async () => {
  await engine.close();
  await rm(place, { recursive: true });
});

test('every head is listed with what it is and how much it learns', async () => {
  const { heads } = await engine.call('lab.heads', {});
  assert.deepEqual(
    heads.map(({ name }) => name),
    labHeadNames,
  );
  assert.ok(heads.every(({ description }) => description.endsWith('.')));
  assert.deepEqual(
    heads.slice(0, 2).map(({ parameters }) => parameters),
    [0, 0],
  );
  assert.ok(heads.find(({ name }) => name === 'v9')!.parameters > 0);
});

test('a folder with captions is studied: two heads, one table, kept until the next', async () => {
  assert.equal((await engine.call('lab.last', {})).report, null);
  const told: LabProgress[] = [];
  const report = await engine.call(
    'lab.run',
    { heads: ['v5', 'v0'], epochs: 2, grant: engine.grant(folder) },
    { progress: (progress) => told.push(progress) },
  );
  // In the registry's order, whatever was asked for first.
  assert.deepEqual(
    report.rows.map(({ head }) => head),
    ['v0', 'v5'],
  );
  // A fifth is kept aside, and a photo that cannot be read is left out.
  assert.deepEqual(report.pairs, { train: 2 * (photoCount - 5), heldOut: 5 });
  // The pack tells neither parts of a picture nor words of a text apart: the study’s captions have most words.
  assert.equal(report.tokens.image, 1);
  assert.equal(report.tokens.text, 6);
  assert.equal(report.captions.length, 5);
  assert.match(report.captions[report.rightCaption]!, /number/);
  assert.equal(report.photo.photoId !== null, true);
  assert.ok(told.some(({ head, total }) => head === '' && total === photoCount + 1));
  assert.deepEqual(told.at(-1), { head: 'v5', done: 1, total: 2, epoch: 2, epochs: 2 });
  assert.deepEqual((await engine.call('lab.last', {})).report, report);
});

test('captions by hand serve as well, and a photo of a cat is offered the study’s captions', async () => {
  const { hits } = await engine.call('search.query', { text: 'type:png', limit: 50 });
  const ids = hits.map(({ id }) => id).sort((a, b) => a - b);
  for (const [i, photoId] of ids.slice(0, 22).entries())
    await engine.call('captions.set', {
      photoId,
      text: i === 7 ? 'Our cat on a wall' : `photo ${String(i)}`,
    });
  const report = await engine.call('lab.run', {
    heads: ['v1'],
    epochs: 1,
    photoId: ids[7]!,
    scoring: 'study',
    tokens: 'mean',
  });
  assert.deepEqual(report.captions, [...studyCaptions]);
  assert.equal(report.rightCaption, 1);
  assert.equal(report.photo.photoId, ids[7]);
  assert.deepEqual([report.tokens.image, report.tokens.text], [1, 1]);
  assert.equal(report.pairs.train, 18);
  await assert.rejects(engine.call('lab.run', { heads: ['v1'], photoId: ids[23]! }), {
    code: 'input-invalid',
    message: /no caption by hand/,
  });
});

test('too few photos, strange heads and a stop are answered clearly', async () => {
  const few = join(place, 'few');
  await mkdir(few);
  await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toFile(join(few, 'a.png'));
  await writeFile(join(few, 'captions.txt'), 'image,caption\na.png,red');
  await assert.rejects(engine.call('lab.run', { grant: engine.grant(few) }), {
    code: 'input-invalid',
    message: /names 1 captioned photo/,
  });
  await assert.rejects(engine.call('lab.run', { heads: ['v99'] }), { code: 'input-invalid', message: /v99/ });
  const stop = new AbortController();
  await assert.rejects(
    engine.call(
      'lab.run',
      { heads: ['v0', 'v9'], epochs: 50, grant: engine.grant(folder) },
      {
        signal: stop.signal,
        progress: ({ head, epoch }) => {
          if (head === 'v0' && epoch === 1) stop.abort();
        },
      },
    ),
    { code: 'cancelled' },
  );
});
