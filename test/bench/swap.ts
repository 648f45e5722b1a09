/**
 * Putting a head into use at 100,000 vectors of 512: projecting, writing, the index beside and the swap, while a
 * person goes on searching; then undo, and putting it into use again.
 * Run: npm run bench -- swap [photos] [folder]
 * With a folder the library stays there, and its graph need not be built again the next time.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHeadSwitch, type HeadSwitchOptions } from '../../main/engine/head-switch.ts';
import { openIndex } from '../../main/engine/index/open-index.ts';
import { silentLog } from '../../main/engine/log.ts';
import { projectionOf } from '../../main/engine/learning-rooms.ts';
import { createModelKeeper } from '../../main/engine/model-keeper.ts';
import { openHead } from '../../main/engine/open-head.ts';
import { headHash } from '../../main/engine/store/head-hash.ts';
import { openStore } from '../../main/engine/store/store.ts';
import { openTuneProcess } from '../../main/engine/tune/tune-client.ts';
import { createTurns } from '../../main/engine/turns.ts';
import { run } from '../unit/store/learning-fixtures.ts';
import { fillLibrary } from './library-of-vectors.ts';
import { seeded } from './photos.ts';
import { check, percentile, report, say } from './report.ts';
import { countingEmbedder, spawn } from './rooms.ts';
import { makeCloud, normal } from './vectors.ts';

const photos = Number(process.argv[2] ?? 100_000);
const dims = 512;
const seed = 7;
const queries = 100;
const k = 10;
/** A person who types: a search every 20 ms is more than that. */
const searchEveryMs = 20;

const kept = process.argv[3];
const directory = kept ?? mkdtempSync(join(tmpdir(), 'afterimage-bench-'));
const tune = openTuneProcess({ spawn, log: silentLog });
try {
  const pack = { fingerprint: 'bench', packId: 'bench', dims };
  if (!existsSync(join(directory, 'library.db'))) {
    say(`filling a library of ${photos} vectors`);
    fillLibrary({ directory, photos, ...pack, seed });
  }
  const store = openStore({ directory, now: Date.now });
  const cloud = makeCloud(dims, 400, seed);
  const openIndexOf: HeadSwitchOptions['openIndex'] = (modelId, size, linksOf) =>
    openIndex({ store, modelId, dims: size, log: silentLog, linksOf });
  const models = createModelKeeper({
    store,
    log: silentLog,
    defaultPackId: pack.packId,
    loadEmbedder: () =>
      Promise.resolve({ ...countingEmbedder(), ...pack, embedQuery: () => Promise.resolve(cloud.text()) }),
    openIndex: openIndexOf,
    openHead: (runId, base) => openHead({ store, projectionOf }, runId, base),
    onProblem: ({ message }) => say(message),
    onHeadLost: ({ message }) => say(message),
  });
  for (let i = 0; i < 40; i += 1) store.queries.remember(`query ${i}`, i);

  say('building the graph of the pack’s vectors');
  const buildStart = performance.now();
  const { index } = await models.ready();
  await index.built();
  const buildSeconds = (performance.now() - buildStart) / 1_000;
  await index.save();

  /** Of what is in use, by the method that a search would take. */
  const recallNow = async (make: () => Float32Array): Promise<number> => {
    let found = 0;
    for (let i = 0; i < queries; i += 1) {
      const query = make();
      const current = models.index()!;
      const ids = new Set(current.search(query, { k }).neighbours.map(({ id }) => id));
      found += current
        .search(query, { k, method: 'exact' })
        .neighbours.filter(({ id }) => ids.has(id)).length;
      await new Promise(setImmediate);
    }
    return found / (queries * k);
  };
  const { row, projection } = openResidualHead();
  const recallOf = async (photo: () => Float32Array): Promise<{ photos: number; texts: number }> => ({
    photos: await recallNow(photo),
    texts: await recallNow(cloud.text),
  });

  const heads = createHeadSwitch({
    store,
    models,
    process: tune,
    projectionOf,
    openIndex: openIndexOf,
    inTurn: createTurns(),
    log: silentLog,
    now: () => performance.now(),
    onSwapped: () => undefined,
  });
  const put = store.embeddings.put.bind(store.embeddings);
  let writingMs = 0;
  store.embeddings.put = (...args) => {
    const start = performance.now();
    const generation = put(...args);
    writingMs += performance.now() - start;
    return generation;
  };

  /** Changes the head while searches go on. */
  const change = async (runId: number | null): Promise<Change> => {
    writingMs = 0;
    const cpu = process.cpuUsage();
    const marks: [string, number][] = [];
    const mark = (what: string): void => {
      if (marks.at(-1)?.[0] !== what) marks.push([what, performance.now()]);
    };
    const lateMs: number[] = [];
    let slowest = { ms: 0, in: '' };
    let due: NodeJS.Timeout | undefined;
    const search = (at: number): void => {
      models.index()!.search(cloud.text(), { k: 50 });
      const now = performance.now();
      lateMs.push(now - at);
      if (now - at > slowest.ms) slowest = { ms: now - at, in: marks.at(-1)?.[0] ?? 'start' };
      due = setTimeout(search, searchEveryMs, now + searchEveryMs);
    };
    search(performance.now());
    const { seconds } = await heads.use(runId, {
      onProgress: ({ stage, done }) => mark(stage === 'swap' && done === 1 ? 'saving' : stage),
    });
    clearTimeout(due);
    const { user, system } = process.cpuUsage(cpu);
    mark('end');
    const stages = Object.fromEntries(
      marks.slice(0, -1).map(([what, at], i) => [what, ((marks[i + 1]?.[1] ?? at) - at) / 1_000]),
    );
    return {
      seconds,
      stages,
      writingSeconds: writingMs / 1_000,
      cpuSeconds: (user + system) / 1e6,
      searches: {
        count: lateMs.length,
        p50Ms: percentile(lateMs, 0.5),
        p95Ms: percentile(lateMs, 0.95),
        slowest,
      },
    };
  };

  const before = await recallOf(cloud.image);
  say('putting a residual head into use');
  const accept = await change(row.runId);
  const reused = models.index()!.state.kind === 'hnsw' && !models.index()!.state.building;
  const after = await recallOf(() => projection.project(cloud.image()));
  say('undo, and again');
  const undo = await change(null);
  const redo = await change(row.runId);
  const memoryMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
  await models.close();
  // The next time it is made anew.
  store.embeddings.setActiveModel(store.embeddings.find(pack.fingerprint)!);
  store.runs.remove(row.runId);
  store.close();
  report(
    'swap',
    {
      photos,
      dims,
      buildSeconds,
      accept,
      undo,
      redo,
      graphReused: reused,
      recallAt10: { before, after },
      memoryMiB,
    },
    [
      check('re-projecting and swapping, seconds', accept.seconds, { max: 30 }),
      check('recall@10 of photos after the swap', after.photos, { min: 0.95 }),
      check('recall@10 of texts after the swap', after.texts, { min: 0.95 }),
    ],
  );

  /** What 20 epochs of training may come to, and more: learnt parts as long as the vectors themselves. */
  function openResidualHead(): ReturnType<typeof openHead> {
    const next = normal(seeded(seed));
    const values = Float32Array.from(
      { length: dims * dims },
      (_, i) => (i % (dims + 1) === 0 ? 1 : 0) + next() / Math.sqrt(dims),
    );
    const head = { head: 'residual' as const, dims, parameters: { delta: { shape: [dims, dims], values } } };
    const { id } = store.runs.add(pack.fingerprint, run({ dims }));
    store.runs.setHead({ ...head, runId: id, fingerprint: pack.fingerprint, hash: headHash(head) });
    return openHead({ store, projectionOf }, id, pack);
  }
} finally {
  await tune.close();
  if (kept === undefined) rmSync(directory, { recursive: true, force: true });
}

interface Change {
  readonly seconds: number;
  /** Seconds of each; `projecting` has the writing in it. */
  readonly stages: Readonly<Record<string, number>>;
  readonly writingSeconds: number;
  /** Of this process, searches included; that which projects is another. */
  readonly cpuSeconds: number;
  /** Searches for 50 photos, one every 20 ms, counted from when they were due. */
  readonly searches: {
    readonly count: number;
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly slowest: { readonly ms: number; readonly in: string };
  };
}
