/** Pictures made from arithmetic, the same on every machine: what a provider is compared with the CPU on. */
import type { ImageSpec } from '../packs/types.ts';
import { modelSize } from './preprocess.ts';
import type { ModelPixels } from './towers.ts';

/**
 * Smooth, busy, flat and noisy pictures of the model's size, in turn.
 * @param count as many as the provider's batch, so that its real shape is what is tested.
 */
export function goldenBatch(spec: ImageSpec, count: number): ModelPixels[] {
  const { width, height } = modelSize(spec) ?? { width: 224, height: 224 };
  return Array.from({ length: count }, (_, picture) => {
    const pixels = new Uint8Array(width * height * 3);
    const frequency = 2 ** (picture % 5);
    let noise = picture + 1;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let channel = 0; channel < 3; channel++) {
          // A linear congruential step (Numerical Recipes) is noise enough.
          noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
          const wave =
            Math.sin(((x / width) * frequency + channel) * 3) * Math.cos((y / height) * frequency * 4);
          const value = 128 + 90 * wave + ((noise >>> 24) - 128) * (picture % 3 === 2 ? 0.5 : 0.05);
          pixels[(y * width + x) * 3 + channel] = Math.max(0, Math.min(255, Math.round(value)));
        }
      }
    }
    return { pixels, width, height };
  });
}
