/** An order by chance that is the same for the same keys and seed, whatever order the keys come in. */

/** @returns the keys, each once, in an order that only they and the seed decide. */
export function stableOrder(keys: readonly string[], seed: number): string[] {
  return [...new Set(keys)]
    .map((key) => ({ key, at: stableNumber(key, seed) }))
    .sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1))
    .map(({ key }) => key);
}

/** FNV-1a (Fowler, Noll and Vo), with MurmurHash3's finish (Appleby, public domain). @returns 32 bits, unsigned. */
export function stableNumber(key: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
