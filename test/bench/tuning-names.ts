/** Part of tuning-quality: names taught to a real library of the data's photos, and what they find. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openIndex } from '../../main/engine/index/open-index.ts';
import type { VectorIndex } from '../../main/engine/index/types.ts';
import { noCameraMetadata } from '../../main/engine/inference/photo-metadata.ts';
import type { TextSide } from '../../main/engine/inference/types.ts';
import { silentLog } from '../../main/engine/log.ts';
import { createSearch } from '../../main/engine/search/search.ts';
import { rankPairs, retrieval } from '../../main/engine/tune/evaluate.ts';
import { openStore } from '../../main/engine/store/store.ts';
import type { Store } from '../../main/engine/store/types.ts';
import { findNames, nameWords } from '../../main/engine/tune/names/name-text.ts';
import { createNames } from '../../main/engine/tune/names/names.ts';
import { seeded } from './photos.ts';
import type { DataRow } from './starter-data.ts';
import { pairsOf, saidOf } from './tuning-heads.ts';

/** Photos of the data in a library of their own; photo ids are rows plus one. */
export interface NamesLibrary {
  readonly store: Store;
  readonly index: VectorIndex;
  readonly embedder: TextSide;
  close(): Promise<void>;
}

export async function openNamesLibrary(
  rows: readonly DataRow[],
  vectors: Float32Array,
  embedder: TextSide,
): Promise<NamesLibrary> {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-bench-names-'));
  const store = openStore({ directory, now: () => 0 });
  const { dims } = embedder;
  const modelId = store.embeddings.model(embedder.fingerprint, embedder.packId, dims);
  store.embeddings.setActiveModel(modelId);
  const rootId = store.roots.add('/data', 0).id;
  const ids = store.photos.add(
    rootId,
    // Cameras' names: the data's own say what is in the photo.
    rows.map((_, row) => ({ relPath: `IMG_${String(row + 1)}.webp`, bytes: 1, mtimeMs: row + 1 })),
  );
  for (let from = 0; from < ids.length; from += 1_000)
    store.photos.commit(
      modelId,
      ids.slice(from, from + 1_000).map((photoId, i) => ({
        photoId,
        hash: photoId.toString(16).padStart(32, '0'),
        stat: { bytes: 1, mtimeMs: from + i + 1 },
        metadata: { width: 112, height: 112, format: 'webp', ...noCameraMetadata },
        vector: vectors.slice((from + i) * dims, (from + i + 1) * dims),
        thumbnail: null,
      })),
      [],
    );
  const index = await openIndex({ store, modelId, dims, log: silentLog });
  await index.built();
  return {
    store,
    index,
    embedder,
    async close() {
      await index.close();
      store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface NamesFigures {
  readonly photosEach: number;
  readonly seeds: number;
  /** Among all names, on the validation photos, mean over the seeds. */
  readonly top1: number;
  /** Mean over names of the average precision with which a name finds its photos that were not taught, in the whole library. */
  readonly averagePrecision: number;
  /** Of the photos that a name's query calls strong, or at least likely: how many carry it; and of those not taught, how many are called so. */
  readonly strong: { readonly precision: number; readonly recall: number };
  readonly likely: { readonly precision: number; readonly recall: number };
  /** Taught photos that are strong. */
  readonly taughtStrong: number;
  /** Share of photos that the others of their name find. */
  readonly check: number;
  readonly learnMs: number;
  /** Longest time of its own for which nothing else could run in the process meanwhile. */
  readonly longestStallMs: number;
  /**
   * R@10 of the validation captions and labels, as typed queries for photos, without names and beside them. Some hold a
   * word that was taught ("orange") and mean the taught thing then; `changed` counts others whose vector is not the same
   * to the bit.
   */
  readonly generic: {
    readonly before: number;
    readonly after: number;
    readonly withName: number;
    readonly changed: number;
  };
}

/** Share of the validation photos whose own fine name scores highest among all, with the names as plain queries. */
export async function zeroShot({ index, embedder }: NamesLibrary, rows: readonly DataRow[]): Promise<number> {
  const fine = fineNames(rows);
  return top1(rows, fine, await Promise.all(fine.map((name) => embedder.embedQuery(name))), index);
}

const fineNames = (rows: readonly DataRow[]): string[] =>
  [...new Set(rows.flatMap(({ label_fine: name }) => name ?? []))].sort();

function top1(
  rows: readonly DataRow[],
  fine: readonly string[],
  queries: readonly Float32Array[],
  index: VectorIndex,
): number {
  const val = rows.flatMap((row, at) =>
    row.split === 'val' && row.label_fine !== undefined ? [{ at, name: row.label_fine }] : [],
  );
  const scores = queries.map((query) =>
    index.scores(
      query,
      val.map(({ at }) => at + 1),
    ),
  );
  const right = val.filter(({ name }, i) => {
    const best = scores.reduce(
      (top, each, place) => ((each[i] ?? -1) > (scores[top]?.[i] ?? -1) ? place : top),
      0,
    );
    return fine[best] === name;
  });
  return right.length / val.length;
}

/** @param photosEach photos of the train split a name is taught with; fewer where there are fewer. */
export async function teachAndMeasure(
  library: NamesLibrary,
  rows: readonly DataRow[],
  photosEach: number,
  seeds: number,
): Promise<NamesFigures> {
  const { store, index, embedder } = library;
  const space = { embedder, index };
  const fine = fineNames(rows);
  let generic: NamesFigures['generic'] = { before: NaN, after: NaN, withName: NaN, changed: NaN };
  const of = (name: string, split: 'train' | 'val'): number[] =>
    rows.flatMap((row, at) => (row.label_fine === name && row.split === split ? [at + 1] : []));
  const totals = { top1: 0, ap: 0, check: 0, checked: 0, taught: 0, taughtStrong: 0 };
  const bands = { strong: new Tally(), likely: new Tally() };
  let learnMs = 0;
  let longestStallMs = 0;
  for (let seed = 0; seed < seeds; seed += 1) {
    const random = seeded(100 + seed);
    for (const { id } of store.names.list()) store.names.remove(id);
    const names = createNames({
      store,
      model: () => Promise.resolve(space),
      current: () => space,
      now: () => 0,
      log: silentLog,
      onNames: () => undefined,
    });
    const taught = new Map<string, Set<number>>();
    for (const name of fine) {
      const photoIds = drawn(of(name, 'train'), photosEach, random);
      taught.set(name, new Set(photoIds));
      const kind = rows.find(({ label_fine: each }) => each === name)?.label;
      const found = await names.teach({ name, kind, photoIds });
      totals.check += found.check?.found ?? 0;
      totals.checked += found.check?.of ?? 0;
    }
    const side = names.withNames(space).embedder;
    const stalls = watchStalls();
    const startedAt = performance.now();
    await side.embedQuery(fine[0] ?? '');
    learnMs += (performance.now() - startedAt) / seeds;
    longestStallMs = Math.max(longestStallMs, stalls.stop());
    const queries = await Promise.all(fine.map((name) => side.embedQuery(name)));
    totals.top1 += top1(rows, fine, queries, index) / seeds;
    if (seed === 0) generic = await measureGeneric(rows, index, embedder, side, fine);
    const search = createSearch({
      store,
      model: () => Promise.resolve(names.withNames(space)),
      embedder: () => Promise.reject(new Error('not asked for')),
      decoder: () => {
        throw new Error('not asked for');
      },
      now: () => 0,
    });
    for (const [place, name] of fine.entries()) {
      const known = taught.get(name) ?? new Set();
      const right = new Set([...of(name, 'train'), ...of(name, 'val')]);
      const unseen = new Set([...right].filter((id) => !known.has(id)));
      const { neighbours } = index.search(queries[place] ?? new Float32Array(index.dims), { k: 3_000 });
      totals.ap +=
        averagePrecision(
          neighbours.map(({ id }) => id).filter((id) => !known.has(id)),
          unseen,
        ) /
        fine.length /
        seeds;
      const { hits } = await search.query({ text: name, examples: [], offset: 0, limit: 500 });
      const strong = hits.filter(({ band }) => band === 'strong').map(({ id }) => id);
      const likely = hits.filter(({ band }) => band !== 'weak').map(({ id }) => id);
      bands.strong.add(strong, right, unseen);
      bands.likely.add(likely, right, unseen);
      totals.taught += known.size;
      totals.taughtStrong += strong.filter((id) => known.has(id)).length;
    }
    await names.close();
  }
  return {
    photosEach,
    seeds,
    top1: totals.top1,
    averagePrecision: totals.ap,
    strong: bands.strong.figures(),
    likely: bands.likely.figures(),
    taughtStrong: totals.taughtStrong / totals.taught,
    check: totals.check / Math.max(1, totals.checked),
    learnMs,
    longestStallMs,
    generic,
  };
}

async function measureGeneric(
  rows: readonly DataRow[],
  index: VectorIndex,
  plain: TextSide,
  named: TextSide,
  names: readonly string[],
): Promise<NamesFigures['generic']> {
  const said = saidOf(rows, ({ split }) => split === 'val');
  const photos = new Float32Array(rows.length * plain.dims);
  for (const { row } of said)
    photos.set(index.vector(row + 1) ?? new Float32Array(plain.dims), row * plain.dims);
  const spoken = names.map((name, id) => ({ id, words: nameWords(name) }));
  const texts = [...new Set(said.map(({ text }) => text))];
  const embed = async (side: TextSide): Promise<Map<string, Float32Array>> =>
    new Map(await Promise.all(texts.map(async (text) => [text, await side.embedQuery(text)] as const)));
  const [before, after] = [await embed(plain), await embed(named)];
  const withName = texts.filter((text) => findNames(text, spoken).length > 0);
  const r10 = (vectors: ReadonlyMap<string, Float32Array>): number => {
    const pairs = pairsOf(said, photos, vectors, plain.dims);
    return retrieval(rankPairs(pairs, pairs.groups, pairs.wordings).textToImage).r10;
  };
  return {
    before: r10(before),
    after: r10(after),
    withName: withName.length,
    changed: texts.filter(
      (text) =>
        !withName.includes(text) && !before.get(text)?.every((value, d) => value === after.get(text)?.[d]),
    ).length,
  };
}

class Tally {
  #found = 0;
  #right = 0;
  #unseen = 0;
  #unseenFound = 0;

  add(ids: readonly number[], right: ReadonlySet<number>, unseen: ReadonlySet<number>): void {
    this.#found += ids.length;
    this.#right += ids.filter((id) => right.has(id)).length;
    this.#unseen += unseen.size;
    this.#unseenFound += ids.filter((id) => unseen.has(id)).length;
  }

  figures(): { precision: number; recall: number } {
    return {
      precision: this.#right / Math.max(1, this.#found),
      recall: this.#unseenFound / Math.max(1, this.#unseen),
    };
  }
}

function averagePrecision(ranked: readonly number[], right: ReadonlySet<number>): number {
  let found = 0;
  let sum = 0;
  for (const [place, id] of ranked.entries())
    if (right.has(id)) {
      found += 1;
      sum += found / (place + 1);
    }
  return right.size === 0 ? 1 : sum / right.size;
}

function drawn(ids: readonly number[], count: number, random: () => number): number[] {
  return ids
    .map((id) => ({ id, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ id }) => id);
}

/** How long this thread worked on end at most: time of its own, whatever else the machine does. */
function watchStalls(): { stop(): number } {
  let longest = 0;
  const worked = (): number => {
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1_000;
  };
  let last = worked();
  const timer = setInterval(() => {
    const now = worked();
    longest = Math.max(longest, now - last);
    last = now;
  }, 1);
  return {
    stop() {
      clearInterval(timer);
      return longest;
    },
  };
}
