/** Zero-shot classification: probabilities of labels for one photo, as CLIP and SigLIP define them. */
import type { CallOutput } from '../../contract.ts';
import type { TextSide } from '../inference/types.ts';
import { dot } from '../inference/unit-vectors.ts';

/**
 * @param vector the photo's unit vector (dims,) float32.
 * @returns one probability per label, in the labels' order: softmax over the labels (Radford et al. 2021) for
 *   softmax packs, so that they sum to 1; a sigmoid of each by itself (Zhai et al. 2023) for sigmoid packs.
 */
export async function classify(
  vector: Float32Array,
  labels: readonly string[],
  embedder: TextSide,
  signal?: AbortSignal,
): Promise<CallOutput<'search.classify'>['labels']> {
  const { scoring } = embedder;
  const templates = scoring.promptTemplates.length === 0 ? ['{}'] : scoring.promptTemplates;
  const prompts = labels.flatMap((label) =>
    templates.map((template) => template.replaceAll('{}', () => label)),
  );
  const vectors = await embedder.embedTexts(prompts, signal);
  const logits = labels.map((_, i) => {
    const mean = averageUnit(vectors.slice(i * templates.length, (i + 1) * templates.length));
    return scoring.logitScale * dot(vector, mean) + scoring.logitBias;
  });
  const probabilities =
    scoring.kind === 'sigmoid' ? logits.map((logit) => 1 / (1 + Math.exp(-logit))) : softmax(logits);
  return labels.map((label, i) => ({ label, probability: probabilities[i] ?? 0 }));
}

function softmax(logits: readonly number[]): number[] {
  const highest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp(logit - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

export function averageUnit(vectors: readonly Float32Array[]): Float32Array {
  const mean = new Float32Array(vectors[0]?.length ?? 0);
  for (const vector of vectors)
    for (let d = 0; d < mean.length; d++) mean[d] = (mean[d] ?? 0) + (vector[d] ?? 0);
  const length = Math.hypot(...mean);
  return length === 0 ? mean : mean.map((value) => value / length);
}
