/**
 * A second run over unchanged photos: files a second, and proof that no photo was decoded or embedded.
 * Run: npm run bench -- rescan [photos]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePhotos } from './photos.ts';
import { check, report, say } from './report.ts';
import { countingDecoder, countingEmbedder, openBenchLibrary } from './rooms.ts';

const count = Number(process.argv[2] ?? 10_000);
const work = mkdtempSync(join(tmpdir(), 'afterimage-bench-'));
try {
  say(`making and indexing ${count} small photos`);
  const folder = join(work, 'photos');
  await makePhotos(folder, { count, width: 160, height: 120 });
  const decoder = countingDecoder();
  const embedder = countingEmbedder();
  const first = openBenchLibrary(join(work, 'library'), decoder, embedder);
  await first.library.addRoot(folder);
  const indexed = await first.library.run();
  await first.close();
  const before = { decoded: decoder.calls(), embedded: embedder.calls() };

  const seconds: number[] = [];
  let unchanged = 0;
  for (let i = 0; i < 5; i += 1) {
    const again = openBenchLibrary(join(work, 'library'), decoder, embedder);
    const start = performance.now();
    unchanged = (await again.library.run()).unchanged;
    seconds.push((performance.now() - start) / 1_000);
    await again.close();
  }
  const best = Math.min(...seconds);
  const inferences = embedder.calls() - before.embedded + (decoder.calls() - before.decoded);
  report('rescan', { photos: indexed.indexed, unchanged, seconds, filesPerSecond: unchanged / best }, [
    check('files a second', unchanged / best, { min: 5_000 }),
    check('photos decoded or embedded again', inferences, { max: 0 }),
    check('photos seen', unchanged, { min: count }),
  ]);
} finally {
  rmSync(work, { recursive: true, force: true });
}
