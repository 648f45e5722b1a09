/**
 * Indexing 200 photos of 12 megapixels: end to end against the roofline of the cores that decoding and
 * inference share, 1 / (1/decode-only + 1/infer-only), all measured in the same run. With the pack that ships
 * and with a random-weight pack of ViT-B/32's shape.
 * Run: npm run bench -- indexing [photos]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDecoder } from '../../main/engine/inference/decoder.ts';
import type { Embedder } from '../../main/engine/inference/types.ts';
import { silentLog } from '../../main/engine/log.ts';
import { makePack } from '../fixtures/make-pack.ts';
import { makePhotos } from './photos.ts';
import { check, report, say, type Check } from './report.ts';
import { openBenchLibrary, openEmbedder, spawn, starterPack } from './rooms.ts';

const count = Number(process.argv[2] ?? 200);
const work = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));

/** Keeps `width` calls going until all are done. @returns seconds. */
async function timed(items: number, width: number, run: (i: number) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < items) await run(next++);
    }),
  );
  return (performance.now() - start) / 1_000;
}

async function measure(name: string, packDir: string, paths: readonly string[], folder: string) {
  const decoder = createDecoder({ spawn, log: silentLog });
  const embedder: Embedder = await openEmbedder(packDir);
  try {
    const spec = embedder.imageSpec;
    const first = await decoder.decode({ path: paths[0]! }, { spec, thumbnail: true });
    const batch = Array.from({ length: embedder.batchSize }, () => ({
      pixels: first.pixels,
      width: first.pixelWidth,
      height: first.pixelHeight,
    }));
    await embedder.embedImages(batch);

    say(`${name}: decoding only`);
    const decodeSeconds = await timed(paths.length, decoder.concurrency * 2, (i) =>
      decoder.decode({ path: paths[i]! }, { spec, thumbnail: true }),
    );
    say(`${name}: inference only`);
    const batches = Math.ceil(paths.length / embedder.batchSize);
    const inferSeconds = await timed(batches, 2, () => embedder.embedImages(batch));
    say(`${name}: end to end`);
    const library = openBenchLibrary(join(work, `library-${name}`), decoder, embedder);
    await library.library.addRoot(folder);
    const start = performance.now();
    const result = await library.library.run();
    const seconds = (performance.now() - start) / 1_000;
    await library.close();
    if (result.indexed !== paths.length)
      throw new Error(`only ${result.indexed} of ${paths.length} were indexed`);
    const decodeOnly = paths.length / decodeSeconds;
    const inferOnly = (batches * embedder.batchSize) / inferSeconds;
    const roofline = 1 / (1 / decodeOnly + 1 / inferOnly);
    const endToEnd = paths.length / seconds;
    return {
      decodeOnlyPerSecond: decodeOnly,
      inferOnlyPerSecond: inferOnly,
      rooflinePerSecond: roofline,
      endToEndPerSecond: endToEnd,
      ofRoofline: endToEnd / roofline,
      provider: embedder.provider,
    };
  } finally {
    await embedder.close();
    await decoder.close();
  }
}

try {
  say(`making ${count} photos`);
  const folder = join(work, 'photos');
  const paths = await makePhotos(folder, { count, width: 4_000, height: 3_000 });
  const vit = await makePack({ dir: join(work, 'vit-b-32'), family: 'clip', shape: 'vit-b-32', seed: 1 });
  const figures: Record<string, unknown> = { photos: count };
  const checks: Check[] = [];
  for (const [name, packDir] of [
    ['starter', starterPack],
    ['vit-b-32', vit],
  ] as const) {
    const result = await measure(name, packDir, paths, folder);
    figures[name] = result;
    checks.push(check(`${name}: share of the shared-core roofline`, result.ofRoofline, { min: 0.9 }));
  }
  report('indexing', figures, checks);
} finally {
  rmSync(work, { recursive: true, force: true });
}
