/** A number for all that decides a run: equal hashes, settings and packs give equal heads. */
import { createHash, type Hash } from 'node:crypto';
import type { GatheredPairs } from '../types.ts';
import type { TrainingPairs } from '../train-head.ts';

/** @returns SHA-256, hex. The pairs are in an order of their own, so that of the rows in the store has no part in it. */
export function dataHash(gathered: Omit<GatheredPairs, 'dataHash'>): string {
  const hash = createHash('sha256');
  addPairs(hash, gathered.pairs);
  add(hash, gathered.kin);
  hash.update(gathered.sources.join());
  addPairs(hash, gathered.replay);
  addPairs(hash, gathered.generic);
  hash.update(JSON.stringify([gathered.generic.name, gathered.evidence]));
  return hash.digest('hex');
}

function addPairs(hash: Hash, { images, texts, dims, weights, groups, wordings, hard }: TrainingPairs): void {
  hash.update(`${String(dims)} ${String(weights.length)} ${String(hard?.each ?? 0)};`);
  for (const part of [images, texts, weights, groups, wordings, hard?.images, hard?.present])
    if (part !== undefined) add(hash, part);
}

function add(hash: Hash, { buffer, byteOffset, byteLength }: Float32Array | Int32Array | Uint8Array): void {
  hash.update(new Uint8Array(buffer, byteOffset, byteLength));
}
