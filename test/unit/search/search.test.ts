/** Search over a real store and index, with vectors that say exactly what is in each photo. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { openIndex } from '../../../main/engine/index/open-index.ts';
import type { VectorIndex } from '../../../main/engine/index/types.ts';
import type { TextSide } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { createSearch } from '../../../main/engine/search/search.ts';
import type { Search } from '../../../main/engine/search/types.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { IndexedPhoto, PhotoMetadata, Store } from '../../../main/engine/store/types.ts';
import { seededNormal } from './seeded-random.ts';

/** One axis for each concept; what is left of a photo's vector is noise. */
const concepts = ['dog', 'snow', 'beach'];
const dims = 64;
const normal = seededNormal(3);

function vectorOf(shown: readonly string[]): Float32Array {
  const vector = Float32Array.from({ length: dims }, () => 0.06 * normal());
  for (const concept of shown) {
    const axis = concepts.indexOf(concept);
    vector[axis] = (vector[axis] ?? 0) + 0.7;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

const textSide: TextSide = {
  fingerprint: 'axes',
  packId: 'axes',
  dims,
  scoring: {
    kind: 'softmax',
    logitScale: 50,
    logitBias: 0,
    promptTemplates: ['{}'],
    queryTemplates: ['{}'],
    background: { mean: 0, std: 0.12 },
    matching: { mean: 0.72, std: 0.12 },
  },
  embedTexts: (texts) =>
    Promise.resolve(
      texts.map((text) => {
        const vector = new Float32Array(dims);
        vector[concepts.includes(text) ? concepts.indexOf(text) : dims - 1] = 1;
        return vector;
      }),
    ),
  async embedQuery(text) {
    const [vector] = await textSide.embedTexts([text]);
    return vector ?? new Float32Array(dims);
  },
};

const metadata = (takenAt: number): PhotoMetadata => ({
  width: 40,
  height: 30,
  format: 'jpeg',
  takenAt,
  camera: null,
  lens: null,
  exposureSeconds: null,
  fNumber: null,
  iso: null,
  focalLengthMm: null,
  latitude: null,
  longitude: null,
});

let directory: string;
let store: Store;
let index: VectorIndex;
let search: Search;
let modelId: number;
const shows = new Map<number, readonly string[]>();
const modelCalls: string[] = [];

function addPhotos(folder: string, shown: readonly string[], count: number, hash?: string): number[] {
  const rootId = store.roots.list()[0]?.id ?? 0;
  const start = shows.size;
  const files = Array.from({ length: count }, (_, i) => ({
    relPath: `${folder}/photo ${start + i}.jpg`,
    bytes: 1_000,
    mtimeMs: 0,
  }));
  const ids = store.photos.add(rootId, files);
  const same = vectorOf(shown);
  const rows = ids.map((photoId, i): IndexedPhoto => ({
    photoId,
    hash: hash ?? photoId.toString(16).padStart(32, '0'),
    stat: { bytes: 1_000, mtimeMs: 0 },
    metadata: metadata(Date.UTC(2020, 0, 1 + start + i)),
    vector: hash === undefined ? vectorOf(shown) : same,
    thumbnail: null,
  }));
  const generation = store.photos.commit(modelId, rows, []);
  index.upsert(
    rows.map(({ photoId, vector }) => ({ id: photoId, vector })),
    generation,
  );
  for (const id of ids) shows.set(id, shown);
  return ids;
}

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'afterimage-search-'));
  store = openStore({ directory, now: () => 0 });
  store.roots.add('/photos', 0);
  modelId = store.embeddings.model('axes', 'axes', dims);
  store.embeddings.setActiveModel(modelId);
  index = await openIndex({ store, modelId, dims, log: silentLog });
  addPhotos('plain', [], 200);
  addPhotos('walks', ['dog'], 20);
  addPhotos('winter', ['dog', 'snow'], 10);
  addPhotos('winter', ['snow'], 15);
  addPhotos('copies', ['beach'], 3, 'f'.repeat(32));
  search = createSearch({
    store,
    model: () => {
      modelCalls.push('model');
      return Promise.resolve({ embedder: textSide, index });
    },
    embedder: () => assert.fail('no picture is embedded here'),
    decoder: () => assert.fail('no picture is decoded here'),
    now: () => Date.UTC(2024, 0, 1),
  });
});
after(async () => {
  await index.close();
  store.close();
  rmSync(directory, { recursive: true });
});

const ask = (
  text: string,
  more: { offset?: number; limit?: number; examples?: { photoId: number; weight: number }[] } = {},
) =>
  search.query({ text, examples: more.examples ?? [], offset: more.offset ?? 0, limit: more.limit ?? 500 });
const relevant = async (text: string): Promise<(readonly string[])[]> =>
  (await ask(text)).hits.filter(({ band }) => band !== 'weak').map(({ id }) => shows.get(id) ?? []);

test('results end where relevance ends', async () => {
  const { bands, thin, total } = await ask('dog');
  assert.ok(Math.abs(bands.strong + bands.likely - 30) <= 2, JSON.stringify(bands));
  assert.equal(thin, false);
  assert.equal(total, shows.size - 2);
  assert.ok((await relevant('dog')).filter((shown) => shown.includes('dog')).length >= 29);
});

test('where nothing stands out, the nearest are shown as such', async () => {
  const { thin, hits } = await ask('helicopter');
  assert.equal(thin, true);
  assert.ok(hits.length > 0 && hits.every(({ band }) => band === 'weak'));
});

test('what is not wanted goes out and takes nothing else along', async () => {
  const found = await relevant('dog -snow');
  assert.equal(found.filter((shown) => shown.includes('snow')).length, 0);
  assert.ok(found.filter((shown) => shown.includes('dog')).length >= 18);
  const { hits } = await ask('dog -snow');
  assert.ok(hits.every(({ id }) => !(shows.get(id) ?? []).includes('snow')));
});

test('only what is not wanted leaves everything else, newest first', async () => {
  const { hits, total } = await ask('-dog');
  assert.ok(Math.abs(total - (shows.size - 30)) <= 2, String(total));
  assert.ok(hits.filter(({ id }) => shows.get(id)?.includes('dog')).length <= 1);
  const strong = hits.filter(({ band }) => band === 'strong').map(({ takenAt }) => takenAt);
  assert.deepEqual(
    strong,
    [...strong].sort((a, b) => b - a),
  );
});

test('filters narrow first and do not change how sure a hit is', async () => {
  const everywhere = new Map((await ask('snow')).hits.map(({ id, band }) => [id, band]));
  const { hits, total } = await ask('snow in:winter');
  assert.equal(total, 25);
  for (const { id, band } of hits) assert.equal(band, everywhere.get(id));
});

test('without words the pack is not asked for', async () => {
  modelCalls.length = 0;
  assert.equal((await ask('in:winter')).plan, 'filter-only');
  assert.equal((await ask('')).total, shows.size);
  assert.equal((await ask('- ...')).plan, 'empty');
  assert.deepEqual(modelCalls, []);
});

test('files with the same bytes are one hit that says how many more there are', async () => {
  const { hits } = await ask('beach', { limit: 1 });
  assert.deepEqual([hits[0]?.band, hits[0]?.copies], ['strong', 2]);
});

test('a photo as example finds its like, and words beside it count as much', async () => {
  const [dogInSnow] = [...shows].find(([, shown]) => shown.length === 2) ?? [0];
  const like = await ask('', { examples: [{ photoId: dogInSnow, weight: 1 }], limit: 9 });
  assert.ok(like.hits.every(({ id }) => id !== dogInSnow && (shows.get(id) ?? []).length === 2));
  const [dog] = [...shows].find(([, shown]) => shown.join() === 'dog') ?? [0];
  const both = await ask('snow', { examples: [{ photoId: dog, weight: 1 }], limit: 5 });
  assert.ok(both.hits.every(({ id }) => (shows.get(id) ?? []).length === 2));
  const less = await ask('dog', { examples: [{ photoId: dogInSnow, weight: -0.5 }], limit: 10 });
  assert.ok(less.hits.every(({ id }) => !(shows.get(id) ?? []).includes('snow')));
});

test('later pages go on from the first though photos came in between', async () => {
  const first = await ask('dog', { limit: 10 });
  addPhotos('walks', ['dog'], 5);
  const second = await ask('dog', { offset: 10, limit: 10 });
  const ids = [...first.hits, ...second.hits].map(({ id }) => id);
  assert.equal(new Set(ids).size, 20);
  assert.equal(second.total, first.total);
  assert.equal((await ask('dog', { limit: 10 })).total, first.total + 5);
});

test('one photo, and none, are libraries too', async () => {
  const empty = join(directory, 'empty');
  const small = openStore({ directory: empty, now: () => 0 });
  const smallModel = small.embeddings.model('axes', 'axes', dims);
  const smallIndex = await openIndex({ store: small, modelId: smallModel, dims, log: silentLog });
  const ranked = createSearch({
    store: small,
    model: () => Promise.resolve({ embedder: textSide, index: smallIndex }),
    embedder: () => assert.fail('not here'),
    decoder: () => assert.fail('not here'),
    now: () => 0,
  });
  for (const text of ['dog', '-dog', 'dog -snow', ''])
    assert.equal((await ranked.query({ text, examples: [], offset: 0, limit: 10 })).total, 0);
  assert.deepEqual((await ranked.suggestions()).queries, []);
  await smallIndex.close();
  small.close();
});
