/**
 * Search at 100,000 vectors of 512: recall@10 of the HNSW graph against the exact scan, and both their times.
 * Run: npm run bench -- neighbours [photos]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../main/engine/log.ts';
import type { VectorIndex } from '../../main/engine/index/types.ts';
import { openIndex } from '../../main/engine/index/open-index.ts';
import { openStore } from '../../main/engine/store/store.ts';
import { fillLibrary } from './library-of-vectors.ts';
import { check, percentile, report, say } from './report.ts';
import { makeCloud } from './vectors.ts';

const photos = Number(process.argv[2] ?? 100_000);
const dims = 512;
const queries = 200;
const k = 10;

const directory = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));
try {
  say(`filling a library of ${photos} vectors`);
  const seed = 7;
  const modelId = fillLibrary({ directory, photos, dims, fingerprint: 'bench', packId: 'bench', seed });
  const store = openStore({ directory, now: Date.now });

  const openAndBuild = async (): Promise<{ seconds: number; index: VectorIndex }> => {
    const start = performance.now();
    const index = await openIndex({ store, modelId, dims, log: silentLog });
    await index.built();
    return { seconds: (performance.now() - start) / 1_000, index };
  };
  say('building the graph');
  const built = await openAndBuild();
  const saveStart = performance.now();
  await built.index.save();
  const saveSeconds = (performance.now() - saveStart) / 1_000;
  await built.index.close();

  const { index, seconds: loadSeconds } = await openAndBuild();
  const cloud = makeCloud(dims, 400, seed);
  const measure = (make: () => Float32Array): { recall: number; hnswMs: number[]; exactMs: number[] } => {
    const result = { recall: 0, hnswMs: [] as number[], exactMs: [] as number[] };
    let found = 0;
    for (let i = 0; i < queries; i += 1) {
      const query = make();
      const t0 = performance.now();
      const approximate = index.search(query, { k, method: 'hnsw' }).neighbours;
      const t1 = performance.now();
      const exact = index.search(query, { k, method: 'exact' }).neighbours;
      const t2 = performance.now();
      result.hnswMs.push(t1 - t0);
      result.exactMs.push(t2 - t1);
      const truth = new Set(exact.map((neighbour) => neighbour.id));
      found += approximate.filter((neighbour) => truth.has(neighbour.id)).length;
    }
    result.recall = found / (queries * k);
    return result;
  };
  const image = measure(cloud.image);
  const text = measure(cloud.text);
  const summary = (of: ReturnType<typeof measure>): Record<string, number> => ({
    recallAt10: of.recall,
    hnswP50Ms: percentile(of.hnswMs, 0.5),
    hnswP95Ms: percentile(of.hnswMs, 0.95),
    exactP50Ms: percentile(of.exactMs, 0.5),
    exactP95Ms: percentile(of.exactMs, 0.95),
    exactOverHnswP95: percentile(of.exactMs, 0.95) / percentile(of.hnswMs, 0.95),
  });
  const hnswMs = [...image.hnswMs, ...text.hnswMs];
  const exactMs = [...image.exactMs, ...text.exactMs];
  report(
    'neighbours',
    {
      photos,
      dims,
      buildSeconds: built.seconds,
      saveSeconds,
      loadSeconds,
      imageQueries: summary(image),
      textQueries: summary(text),
    },
    [
      check('recall@10, image queries', image.recall, { min: 0.99 }),
      check('recall@10, text queries', text.recall, { min: 0.99 }),
      check('p95 of the index part, ms', percentile(hnswMs, 0.95), { max: 5 }),
      check('exact over HNSW, p95', percentile(exactMs, 0.95) / percentile(hnswMs, 0.95), { min: 10 }),
    ],
  );
  await index.close();
  store.close();
} finally {
  rmSync(directory, { recursive: true, force: true });
}
