/** Vectors of the data's photos and texts by the shipped starter pack, kept between runs in the temporary folder. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDecoder } from '../../main/engine/inference/decoder.ts';
import type { Embedder } from '../../main/engine/inference/types.ts';
import { silentLog } from '../../main/engine/log.ts';
import { say } from './report.ts';
import { spawn } from './rooms.ts';
import { readTar, type DataRow } from './starter-data.ts';

const cache = join(tmpdir(), 'afterimage-bench-cache');

/** What is done to a photo before it is embedded. */
export interface Change {
  readonly name: string;
  /** @returns the bytes of the changed photo. */
  readonly apply: (bytes: Uint8Array) => Promise<Uint8Array>;
}

/**
 * Decodes as the app does and embeds what was not embedded before.
 * @returns (rows, dims) unit rows.
 */
export async function embedRows(
  data: string,
  rows: readonly DataRow[],
  embedder: Embedder,
  change?: Change,
): Promise<Float32Array> {
  const key = createHash('sha256')
    .update(embedder.fingerprint)
    .update(change?.name ?? '')
    .update(rows.map(({ file }) => file).join('\n'))
    .digest('hex')
    .slice(0, 24);
  return kept(`photos-${key}`, async () => {
    const vectors = new Float32Array(rows.length * embedder.dims);
    const decoder = createDecoder({ spawn, log: silentLog });
    const places = new Map(rows.map(({ file }, place) => [file, place]));
    let done = 0;
    for (const source of new Set(rows.map((row) => row.source))) {
      const files = [...readTar(data, source)].filter(([file]) => places.has(file));
      for (let from = 0; from < files.length; from += 64) {
        const part = files.slice(from, from + 64);
        const images = await Promise.all(
          part.map(async ([name, bytes]) => {
            const photo = await decoder.decode(
              { bytes: (await change?.apply(bytes)) ?? bytes, name },
              { spec: embedder.imageSpec, thumbnail: false },
            );
            return { pixels: photo.pixels, width: photo.pixelWidth, height: photo.pixelHeight };
          }),
        );
        (await embedder.embedImages(images)).forEach((vector, i) => {
          vectors.set(vector, (places.get(part[i]?.[0] ?? '') ?? 0) * embedder.dims);
        });
        done += part.length;
        if (done % 1_024 < 64) say(`${String(done)} of ${String(rows.length)} photos embedded`);
      }
    }
    await decoder.close();
    return vectors;
  });
}

/** @returns (texts, dims) unit rows, each through the pack's query templates as a typed query is. */
export async function embedQueries(texts: readonly string[], embedder: Embedder): Promise<Float32Array> {
  const key = createHash('sha256')
    .update(embedder.fingerprint)
    .update(JSON.stringify(texts))
    .digest('hex')
    .slice(0, 24);
  return kept(`texts-${key}`, async () => {
    const vectors = new Float32Array(texts.length * embedder.dims);
    for (let from = 0; from < texts.length; from += 32) {
      const part = await Promise.all(texts.slice(from, from + 32).map((text) => embedder.embedQuery(text)));
      part.forEach((vector, i) => {
        vectors.set(vector, (from + i) * embedder.dims);
      });
    }
    return vectors;
  });
}

async function kept(name: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
  const path = join(cache, `${name}.f32`);
  if (existsSync(path)) return new Float32Array(new Uint8Array(readFileSync(path)).buffer);
  const values = await make();
  mkdirSync(cache, { recursive: true });
  writeFileSync(`${path}.part`, new Uint8Array(values.buffer));
  renameSync(`${path}.part`, path);
  return values;
}
