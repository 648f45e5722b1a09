/** Downloads a pack of the manifest into the packs folder: all of it, verified, or nothing. */
import { mkdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackProgress } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { downloadFile } from './download-file.ts';
import type { DownloadRules } from './hub-request.ts';
import { offerBytes, type Manifest, type Offer } from './manifest.ts';
import { sha256File, type FileHashes } from './pack-files.ts';
import type { EmbedJsonInput } from './pack-json.ts';
import type { LanguageJsonInput } from './language-json.ts';

export interface DownloadPackOptions {
  readonly manifest: Manifest;
  readonly offer: Offer;
  /** Folder of the installed packs. */
  readonly into: string;
  readonly rules?: Partial<DownloadRules>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PackProgress) => void) | undefined;
  /** Milliseconds, for the rate. */
  readonly clock?: () => number;
}

/** Left free on the disk beyond the pack itself: a library that cannot write is worse than no pack. */
const spareBytes = 256 * 2 ** 20;
const progressEveryMs = 200;

/**
 * @returns the folder of the finished pack. An attempt that failed or was cancelled is continued by the next one.
 * @throws AppError download-failed, download-refused, disk-full, cancelled
 */
export async function downloadPack(options: DownloadPackOptions): Promise<string> {
  const { offer, manifest, into, signal } = options;
  const finished = join(into, offer.id);
  // A leading dot keeps it out of every listing of packs.
  const partial = join(into, `.${offer.id}.partial`);
  const rules = { hosts: manifest.hosts, ...options.rules };
  const report = progressReporter(options);
  await mkdir(partial, { recursive: true });

  const sizes = new Map(offer.files.map((file) => [file.path, file.bytes]));
  const done = new Map<string, number>();
  const hashes: FileHashes = {};
  const sum = (values: Iterable<number | null>): number =>
    [...values].reduce<number>((a, b) => a + (b ?? 0), 0);
  const total = (): number => Math.max(offerBytes(offer), sum(sizes.values()));
  await checkSpace(partial, offer, total());

  for (const file of offer.files) {
    const path = join(partial, ...file.path.split('/'));
    const kept = await alreadyThere(path, file, signal);
    if (kept !== undefined) {
      hashes[file.path] = kept;
      sizes.set(file.path, kept.bytes);
      done.set(file.path, kept.bytes);
      continue;
    }
    hashes[file.path] = await downloadFile(
      { url: fileUrl(manifest, offer, file.path), path, bytes: file.bytes, sha256: file.sha256 },
      rules,
      {
        signal,
        onProgress: (bytes, fileTotal) => {
          done.set(file.path, bytes);
          if (fileTotal !== null) sizes.set(file.path, fileTotal);
          report('download', sum(done.values()), total());
        },
      },
    );
    done.set(file.path, hashes[file.path]?.bytes ?? 0);
  }
  report('verify', total(), total());
  await writeFile(join(partial, 'pack.json'), `${JSON.stringify(describe(offer, hashes), null, 2)}\n`);
  await rm(finished, { recursive: true, force: true });
  await rename(partial, finished);
  return finished;
}

function fileUrl(manifest: Manifest, offer: Offer, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `${manifest.origin.replace(/\/$/, '')}/${offer.repo}/resolve/${offer.revision}/${encoded}`;
}

/** A file that an earlier attempt finished; one without a known checksum is fetched again, to be verified again. */
async function alreadyThere(
  path: string,
  file: Offer['files'][number],
  signal: AbortSignal | undefined,
): Promise<{ bytes: number; sha256: string } | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (file.sha256 !== null && (file.bytes === null || found.size === file.bytes)) {
    const sha256 = await sha256File(path, signal);
    if (sha256 === file.sha256) return { bytes: found.size, sha256 };
  }
  await rm(path, { force: true });
  return undefined;
}

async function checkSpace(partial: string, offer: Offer, total: number): Promise<void> {
  const { bavail, bsize } = await statfs(partial);
  const free = bavail * bsize;
  let there = 0;
  for (const { path } of offer.files) {
    for (const name of [path, `${path}.part`]) {
      there += await stat(join(partial, ...name.split('/'))).then(
        ({ size }) => size,
        () => 0,
      );
    }
  }
  const needed = total - there + spareBytes;
  if (free >= needed) return;
  const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
  throw new AppError(
    'disk-full',
    `"${offer.name}" needs ${gigabytes(needed)} GB on the disk and ${gigabytes(free)} GB are free. Free some space and start again.`,
    { details: { neededBytes: needed, freeBytes: free } },
  );
}

function describe(offer: Offer, files: FileHashes): EmbedJsonInput | LanguageJsonInput {
  const { pack } = offer;
  const common = {
    schema: 1 as const,
    id: offer.id,
    name: offer.name,
    version: offer.revision.slice(0, 12),
    description: offer.description,
    source: { kind: 'hub', repo: offer.repo, revision: offer.revision },
    files,
  };
  return 'tasks' in pack ? { ...common, ...pack } : { ...common, task: 'embed', ...pack };
}

function progressReporter(
  options: DownloadPackOptions,
): (stage: 'download' | 'verify', done: number, total: number) => void {
  const clock = options.clock ?? ((): number => performance.now());
  let first: { at: number; done: number } | undefined;
  let last = -Infinity;
  return (stage, done, total) => {
    const at = clock();
    first ??= { at, done };
    if (stage === 'download' && done < total && at - last < progressEveryMs) return;
    last = at;
    const seconds = (at - first.at) / 1_000;
    options.onProgress?.({
      packId: options.offer.id,
      stage,
      done,
      total,
      bytesPerSecond: stage === 'download' && seconds > 0.5 ? (done - first.done) / seconds : null,
    });
  };
}
