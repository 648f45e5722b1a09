/** Finds the provider that a pack runs on: tried in order, each believed only when it agrees with the CPU. */
import type { Provider } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { goldenBatch } from './golden-batch.ts';
import { providerNames } from './provider-names.ts';
import { candidateProviders } from './providers.ts';
import { visionTower, type TowerOptions, type VisionTower } from './towers.ts';
import { cosine } from './unit-vectors.ts';

export interface ChosenProvider {
  readonly tower: VisionTower;
  /** Smallest cosine to the CPU's embeddings; null on the CPU itself. */
  readonly minCosine: number | null;
  /** Why others were refused, in words. */
  readonly notes: Readonly<Partial<Record<Provider, string>>>;
}

/** Batches of 4-8 are the plateau on CPUs; graphics cards like more. */
export const batchSizes: Readonly<Record<Provider, number>> = {
  cuda: 32,
  webgpu: 16,
  dml: 16,
  coreml: 8,
  cpu: 8,
};

/** Rounding in another order stays far above this; a wrong kernel falls far below. */
const agreement = { single: 0.999, half: 0.99 };

/** 'auto' keeps a graphics card only when it is at least this much faster than the CPU. */
const worthwhileSpeedup = 1.15;

/**
 * @param wanted 'auto' tries every provider of this machine; a named one is tried alone. The CPU is always the last resort.
 * @throws AppError pack-invalid, pack-unfit when the pack doesn't even work on the CPU
 */
export async function chooseProvider(
  options: TowerOptions,
  wanted: 'auto' | Provider,
  candidates: readonly Provider[] = candidateProviders(),
): Promise<ChosenProvider> {
  const notes: Partial<Record<Provider, string>> = {};
  const cpu = visionTower(options, 'cpu');
  const tried = (wanted === 'auto' ? candidates : [wanted]).filter((name) => name !== 'cpu');
  // Both start at once: most machines without a graphics card say so while the CPU's model is still loading.
  const cpuOpen = cpu.open();
  cpuOpen.catch(() => undefined);
  let reference: Measured | undefined;
  let chosen: VisionTower | undefined;
  try {
    for (const provider of tried) {
      const name = providerNames[provider];
      if (!candidates.includes(provider)) {
        notes[provider] = `${name} is not part of this build for this system; the CPU is used.`;
        continue;
      }
      const tower = visionTower(options, provider);
      try {
        await tower.open();
        const batch = goldenBatch(options.pack.imageSpec, batchSizes[provider]);
        const measured = await measure(tower, batch);
        // As many pictures of the same series: the CPU's batch is the shorter one.
        reference ??= await measure(cpu, batch.slice(0, batchSizes.cpu));
        const minCosine = Math.min(
          ...reference.vectors.map((vector, i) => cosine(vector, measured.vectors[i] ?? [])),
        );
        const limit = options.pack.halfPrecision ? agreement.half : agreement.single;
        const speedup = measured.imagesPerSecond / reference.imagesPerSecond;
        if (!(minCosine >= limit)) {
          notes[provider] =
            `${name} gives other embeddings than the CPU (cosine ${minCosine.toFixed(4)}, at least ${String(limit)} is needed); the CPU is used. A newer graphics driver may help.`;
        } else if (wanted === 'auto' && speedup < worthwhileSpeedup) {
          notes[provider] =
            `${name} works, but is not faster than the CPU here (${speedup.toFixed(1)} times its speed); the CPU is used.`;
        } else {
          chosen = tower;
          await cpu.close();
          return { tower, minCosine, notes };
        }
      } catch (thrown) {
        const error = AppError.from(thrown, name);
        // A pack that is broken is broken on every provider, and the CPU says so best.
        notes[provider] = `${error.message} The CPU is used.`;
      } finally {
        if (chosen !== tower) await tower.close();
      }
    }
    await cpuOpen;
    chosen = cpu;
    for (const note of Object.values(notes)) options.log.info(note);
    return { tower: cpu, minCosine: null, notes };
  } finally {
    if (chosen === undefined) await cpu.close();
  }
}

interface Measured {
  readonly vectors: Float32Array[];
  readonly imagesPerSecond: number;
}

/** The first run compiles and fills caches; the second is timed. */
async function measure(tower: VisionTower, batch: Parameters<VisionTower['embed']>[0]): Promise<Measured> {
  await tower.embed(batch);
  const started = performance.now();
  const vectors = await tower.embed(batch);
  return { vectors, imagesPerSecond: batch.length / ((performance.now() - started) / 1_000) };
}
