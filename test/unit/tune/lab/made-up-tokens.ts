/** Captioned photos that are not: tokens of both sides drawn round a few words each, so that small heads can learn them. */
import type { LabTask } from '../../../../main/engine/tune/lab/lab-run.ts';
import { splitByPhoto, type LabTokens } from '../../../../main/engine/tune/lab/tokens.ts';
import { seededNormal, seededRandom } from '../../search/seeded-random.ts';

const [dims, imageTokens, textTokens, words] = [16, 4, 5, 12];

/** Each photo shows three things of twelve; its caption names two of them, and one token more or less. */
export function madeUpTokens(photos: number, seed = 1): LabTokens {
  const normal = seededNormal(seed);
  const random = seededRandom(seed);
  const meanings = Array.from({ length: words }, () => Array.from({ length: dims }, normal));
  const images = new Float32Array(photos * imageTokens * dims);
  const texts = new Float32Array(photos * textTokens * dims);
  const mask = new Float32Array(photos * textTokens);
  for (let photo = 0; photo < photos; photo++) {
    const shown = Array.from({ length: 3 }, () => Math.floor(random() * words));
    for (let token = 0; token < imageTokens; token++)
      for (let i = 0; i < dims; i++)
        images[(photo * imageTokens + token) * dims + i] =
          (meanings[shown[token % 3]!]?.[i] ?? 0) + 0.2 * normal();
    const length = 3 + Math.floor(random() * 3);
    for (let token = 0; token < length; token++) {
      mask[photo * textTokens + token] = 1;
      for (let i = 0; i < dims; i++)
        texts[(photo * textTokens + token) * dims + i] =
          (meanings[shown[token % 3]!]?.[i] ?? 0) + 0.2 * normal();
    }
  }
  return { dims, imageTokens, textTokens, images, texts, mask };
}

export function madeUpTask(
  change: Partial<Omit<LabTask, 'budget'>> & { readonly budget?: Partial<LabTask['budget']> } = {},
): LabTask {
  const photos = 160;
  const tokens = madeUpTokens(photos);
  const { train, heldOut } = splitByPhoto(
    Array.from({ length: photos }, (_, photo) => photo),
    { share: 0.2, most: 32, seed: 4 },
  );
  const captions = heldOut.captions.slice(0, 5);
  return {
    heads: ['v0'],
    tokens,
    pooled: false,
    train,
    heldOut,
    asked: { photo: heldOut.photos[1] ?? 0, captions, right: 1 },
    ...change,
    budget: {
      epochs: 5,
      batch: 8,
      learningRate: 3e-3,
      seed: 1,
      scoring: 'pairs',
      threads: 1,
      ...change.budget,
    },
  };
}
