/** Part of tuning-quality: the shipped pack with the data's photos and words embedded, and what the pack ships to judge by. */
import sharp from 'sharp';
import type { Embedder } from '../../main/engine/inference/types.ts';
import { readGenericSet } from '../../main/engine/packs/generic-set.ts';
import { readEmbedPack } from '../../main/engine/packs/pack.ts';
import { fromSet } from '../../main/engine/tune/pairs/generic-pairs.ts';
import type { TrainingPairs } from '../../main/engine/tune/train-head.ts';
import { openEmbedder, starterPack } from './rooms.ts';
import { readRows, type DataRow } from './starter-data.ts';
import { embedQueries, embedRows, type Change } from './starter-embeddings.ts';

export interface School {
  readonly embedder: Embedder;
  readonly dims: number;
  readonly rows: readonly DataRow[];
  /** (rows, dims) unit rows. */
  readonly photos: Float32Array;
  /** Unit vectors of all that the data says, each as a typed query. */
  readonly texts: ReadonlyMap<string, Float32Array>;
  /** As the app trains and judges with this pack. */
  readonly replay: TrainingPairs;
  readonly generic: TrainingPairs;
  /** As `photos`, with those that are chosen changed before they are embedded. */
  embedChanged(which: (row: DataRow) => boolean, change: Change): Promise<Float32Array>;
  close(): Promise<void>;
}

/** As slides look after fifty years: pale, warm, little contrast. */
export const faded: Change = {
  name: 'faded',
  apply: async (bytes) =>
    sharp(bytes)
      .removeAlpha()
      .toColourspace('srgb')
      .modulate({ saturation: 0.25 })
      .linear([0.5, 0.42, 0.32], [110, 92, 70])
      .png()
      .toBuffer(),
};

export async function openSchool(data: string): Promise<School> {
  const embedder = await openEmbedder(starterPack);
  const { dims } = embedder;
  const rows = readRows(data);
  const photos = await embedRows(data, rows, embedder);
  const said = [
    ...new Set(
      rows.flatMap(({ captions = [], label, label_fine: fine }) =>
        [...captions, label ?? [], fine ?? []].flat(),
      ),
    ),
  ];
  const vectors = await embedQueries(said, embedder);
  const set = await readGenericSet(await readEmbedPack(starterPack));
  if (set === null) throw new Error('The starter pack ships no generic set.');
  const { generic, replay } = await fromSet(set, async (texts) => {
    const embedded = await embedQueries(texts, embedder);
    return new Map(texts.map((text, i) => [text, embedded.slice(i * dims, (i + 1) * dims)]));
  });
  return {
    embedder,
    dims,
    rows,
    photos,
    texts: new Map(said.map((text, i) => [text, vectors.slice(i * dims, (i + 1) * dims)])),
    replay,
    generic,
    async embedChanged(which, change) {
      const places = [...rows.keys()].filter((row) => {
        const here = rows[row];
        return here !== undefined && which(here);
      });
      const chosen = places.flatMap((row) => rows[row] ?? []);
      const changed = await embedRows(data, chosen, embedder, change);
      const all = photos.slice();
      for (const [i, row] of places.entries())
        all.set(changed.subarray(i * dims, (i + 1) * dims), row * dims);
      return all;
    },
    close: () => embedder.close(),
  };
}
