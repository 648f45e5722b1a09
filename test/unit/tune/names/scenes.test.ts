/** "This is Rex" with the shipped pack and real pictures: drawn dogs in drawn places, indexed by a whole engine. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { TaughtName } from '../../../../main/contract.ts';
import { createEngine } from '../../../../main/engine/engine.ts';
import { silentLog } from '../../../../main/engine/log.ts';
import type { Engine } from '../../../../main/engine/types.ts';
import { createNodeSpawner } from '../../../../main/engine/workers.ts';
import { seeded } from '../../../bench/photos.ts';

type Random = () => number;
const [width, height] = [240, 180];

const places: Readonly<Record<string, (random: Random) => string>> = {
  beach: (random) =>
    `<rect width="240" height="180" fill="hsl(${205 + random() * 10} 60% 70%)"/>
     <rect y="${68 + random() * 15}" width="240" height="60" fill="hsl(${200 + random() * 10} 55% 40%)"/>
     <rect y="${112 + random() * 8}" width="240" height="90" fill="hsl(${38 + random() * 6} 50% 72%)"/>`,
  street: (random) => {
    const houses = Array.from({ length: 8 }, (_, i) => {
      const windows = Array.from(
        { length: 10 },
        (_unused, k) =>
          `<rect x="${i * 30 + 5 + (k % 2) * 12}" y="${60 + Math.floor(k / 2) * 14}" width="6" height="8" fill="#dfe7ee"/>`,
      );
      return `<rect x="${i * 30}" y="${15 + random() * 45}" width="29" height="130" fill="hsl(${random() * 40} 20% ${35 + random() * 30}%)"/>${windows.join('')}`;
    });
    return `<rect width="240" height="180" fill="#b8c4cc"/>${houses.join('')}<rect y="135" width="240" height="45" fill="#55585c"/>`;
  },
};

/** Rex first. */
const coats = [
  ['#1a1a1e', '#e8e4da'],
  ['#a8703a', '#6b4420'],
  ['#e9dcc0', '#c9ae7c'],
] as const;

function dog(random: Random, [coat, mark]: readonly [string, string]): string {
  const size = 0.6 + random() * 0.2;
  const way = random() < 0.5 ? -1 : 1;
  const legs = [-40, -22, 20, 34].map((x) => `<rect x="${x}" y="12" width="9" height="36" fill="${coat}"/>`);
  return `<g transform="translate(${75 + random() * 80} ${115 + random() * 15}) scale(${way * size} ${size})">
    <ellipse rx="48" ry="24" fill="${coat}"/><circle cx="48" cy="-24" r="19" fill="${coat}"/>
    <ellipse cx="64" cy="-18" rx="13" ry="8" fill="${mark}"/><polygon points="36,-34 32,-56 48,-42" fill="${mark}"/>
    ${legs.join('')}<path d="M-46 -8 q-24 -14 -20 -36" stroke="${coat}" stroke-width="8" fill="none"/>
    <rect x="30" y="-14" width="22" height="6" fill="${mark}"/></g>`;
}

/** "place-who-number.png", six of Rex and four of each other dog, and of none, in each place. */
async function drawAll(folder: string): Promise<void> {
  const random = seeded(5);
  for (const [place, background] of Object.entries(places))
    for (const [who, coat] of [undefined, ...coats].entries())
      for (let i = 0; i < (who === 1 ? 6 : 4); i += 1) {
        const drawn = `${background(random)}${coat === undefined ? '' : dog(random, coat)}`;
        await sharp(
          Buffer.from(
            `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${drawn}</svg>`,
          ),
        )
          .blur(1)
          .jpeg({ quality: 90 })
          .toFile(join(folder, `IMG_${place === 'beach' ? 1 : 2}${who}${i}.jpg`));
      }
}

let top: string;
let engine: Engine;
/** Names of the files by photo id: place, who and number, a digit each. */
const files = new Map<number, string>();
const idsOf = (pattern: RegExp): number[] =>
  [...files].filter(([, file]) => pattern.test(file)).map(([id]) => id);
const rank = async (text: string): Promise<Map<number, number>> => {
  const { hits } = await engine.call('search.query', { text, limit: 100 });
  return new Map(hits.map(({ id }, place) => [id, place]));
};
const meanRank = (ranks: ReadonlyMap<number, number>, ids: readonly number[]): number =>
  ids.reduce((sum, id) => sum + (ranks.get(id) ?? files.size), 0) / ids.length;

before(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-names-')));
  const photos = join(top, 'photos');
  await mkdir(photos);
  await drawAll(photos);
  engine = await createEngine({
    directory: join(top, 'library'),
    modelsDirectory: fileURLToPath(new URL('../../../../models', import.meta.url)),
    spawn: createNodeSpawner({ log: silentLog }),
    now: () => Date.now(),
    log: silentLog,
    watch: false,
  });
  await engine.call('settings.set', { provider: 'cpu' });
  await engine.call('roots.add', { grant: engine.grant(photos) });
  await engine.call('indexing.run', {});
  for (const id of (await engine.call('photos.timeline', {})).ids)
    files.set(
      id,
      (await engine.call('photos.get', { photoId: id })).path.replace(/^.*IMG_(\d+)\.jpg$/, '$1'),
    );
});
after(async () => {
  await engine.close();
  await rm(top, { recursive: true, force: true });
});

test('six photos are enough: the name finds the rest, and with other words what these say', async () => {
  assert.equal(files.size, 36);
  const told = new Promise<TaughtName[]>((resolve) => engine.on('names', ({ names }) => resolve(names)));
  const taught = idsOf(/^[12]1[0-2]$/);
  const { name } = await engine.call('names.teach', { name: 'Rex', kind: 'dog', photoIds: taught });
  assert.deepEqual([name.photos, name.problem, name.check?.of], [6, null, 6]);
  assert.ok((name.check?.found ?? 0) >= 4, `${String(name.check?.found)} found`);
  assert.equal((await told)[0]?.name, 'Rex');

  const [beach, street, others] = [idsOf(/^11[3-5]$/), idsOf(/^21[3-5]$/), idsOf(/^.[^1].$/)];
  const alone = await rank('rex');
  const unseen = [...beach, ...street];
  assert.ok(meanRank(alone, unseen) < 12, `mean rank ${String(meanRank(alone, unseen))}`);
  assert.ok(meanRank(alone, others) > 20);

  const atSea = await rank('Rex on a beach');
  const inTown = await rank('Rex in a street');
  const dogsAtSea = idsOf(/^1[23].$/);
  assert.ok(meanRank(atSea, beach) < meanRank(atSea, street));
  assert.ok(meanRank(atSea, beach) < meanRank(atSea, dogsAtSea));
  assert.ok(meanRank(inTown, street) < meanRank(inTown, beach));
  assert.ok(meanRank(inTown, street) < meanRank(inTown, idsOf(/^2[23].$/)));
});

test('why and where: a photo of the name by its percentile and a heat map, of the real pack', async () => {
  const [unseen = 0] = idsOf(/^113$/);
  const why = await engine.call('search.why', { photoId: unseen, text: 'Rex' });
  assert.ok(why.library.percentile > 0.5);
  assert.equal(why.heat?.method, 'patches');
  assert.ok(why.heat.values.some((value) => value > 0));
});

test('forgetting a name leaves the photos and the word', async () => {
  const { names } = await engine.call('names.list', {});
  const nameId = names[0]?.id ?? 0;
  assert.equal((await engine.call('names.photos', { nameId })).photoIds.length, 6);
  await engine.call('names.take', { nameId, photoIds: idsOf(/^110$/) });
  assert.equal((await engine.call('names.photos', { nameId })).photoIds.length, 5);
  await engine.call('names.update', { nameId, name: 'Max', kind: null });
  await engine.call('names.remove', { nameId });
  assert.deepEqual((await engine.call('names.list', {})).names, []);
  await assert.rejects(engine.call('names.photos', { nameId }), { code: 'not-found' });
  assert.equal((await engine.call('photos.timeline', {})).ids.length, 36);
});
