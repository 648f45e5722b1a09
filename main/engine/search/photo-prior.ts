/** What photos of this library score against each other, for queries by example. */
import type { Store } from '../store/types.ts';
import { robustNormal } from './calibrate.ts';
import { priorAround } from './fuse.ts';
import type { ScorePrior } from './mixture.ts';
import type { SearchModel } from './types.ts';

const probes = 12;
const scoresEach = 256;
/** Below this many photos their own scores say little; CLIP's photos score about 0.5 against each other. */
const fewPhotos = 30;
const usual = { mean: 0.5, std: 0.12 };

/** @returns a function that measures anew when the library has grown by a tenth or the pack has changed. */
export function createPhotoPrior(store: Store): (model: SearchModel) => ScorePrior {
  let known: { index: SearchModel['index']; size: number; prior: ScorePrior } | undefined;
  return ({ index }) => {
    if (known?.index === index && Math.abs(index.size - known.size) <= known.size / 10) return known.prior;
    const { ids } = store.photos.timeline();
    const step = Math.max(1, Math.floor(ids.length / probes));
    const scores: number[] = [];
    for (let i = 0; i < ids.length; i += step) {
      const vector = index.vector(ids[i] ?? 0);
      if (vector !== undefined) scores.push(...index.sampleScores(vector, scoresEach));
    }
    const measured = robustNormal(Float32Array.from(scores), 0.02);
    const trust = index.size / (index.size + fewPhotos);
    const prior = priorAround({
      mean: trust * measured.mean + (1 - trust) * usual.mean,
      std: trust * measured.std + (1 - trust) * usual.std,
    });
    known = { index, size: index.size, prior };
    return prior;
  };
}
