/** Decodes HEVC-coded HEIC photos with libheif in WebAssembly, one worker thread a photo: libvips comes without HEVC. */
import { extname } from 'node:path';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../errors.ts';

export interface RgbaImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * @param deadline on the clock of `performance.now()`; past it the thread is ended.
 * @returns (height, width, 4) uint8 RGBA, already turned as the file's own irot and imir boxes say.
 * @throws Error image limits and damage in libheif's words; the caller gives them a code.
 */
export async function decodeHeic(
  source: { readonly path: string } | { readonly bytes: Uint8Array },
  limits: { readonly deadline: number; readonly maxPixels: number },
): Promise<RgbaImage> {
  const bytes = 'path' in source ? await readFile(source.path) : source.bytes;
  const extension = extname(fileURLToPath(import.meta.url));
  // A fresh thread a photo costs 0.1 s of the 1 s that a decode takes, and gives its memory back.
  const thread = new Worker(new URL(`./heic-worker${extension}`, import.meta.url), {
    workerData: { bytes, maxPixels: limits.maxPixels },
    execArgv: [],
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<RgbaImage>((resolve, reject) => {
      timer = setTimeout(
        () => {
          reject(new Error('timeout'));
        },
        Math.max(1, limits.deadline - performance.now()),
      );
      thread.once('message', (reply: RgbaImage | { error: string }) => {
        if ('error' in reply) reject(new Error(reply.error));
        else resolve(reply);
      });
      thread.once('error', reject);
      thread.once('exit', () => {
        reject(new AppError('image-broken', 'The HEIC decoder gave up on this photo. Convert it to JPEG.'));
      });
    });
  } finally {
    clearTimeout(timer);
    await thread.terminate();
  }
}
