/** The shipped pack tells of each word piece of a text, in the space of the photos. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { loadEmbedder, type LoadedEmbedder } from '../../../main/engine/inference/embedder.ts';
import { createNodeSpawner } from '../../../main/engine/inference/node-spawner.ts';
import { cosine } from '../../../main/engine/inference/unit-vectors.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { readEmbedPack } from '../../../main/engine/packs/pack.ts';

const folder = join(import.meta.dirname, '../../../models/starter');
const texts = ['a photo of a dog', 'cat', 'A commercial stainless kitchen with a pot of food cooking.'];

let embedder: LoadedEmbedder;
before(async () => {
  embedder = await loadEmbedder({
    pack: await readEmbedPack(folder),
    spawn: createNodeSpawner({ log: silentLog }),
    log: silentLog,
    now: () => 1_700_000_000_000,
    provider: 'cpu',
  });
});
after(() => embedder.close());

test('the mean of a text’s tokens is the text’s own embedding, whatever texts are asked for with it', async () => {
  const { dims } = embedder;
  const found = await embedder.embedTokens?.(texts);
  assert.ok(found !== undefined);
  const { values, mask } = found;
  const longest = mask.length / texts.length;
  assert.equal(values.length, texts.length * longest * dims);
  const counts = texts.map((_, i) =>
    mask.subarray(i * longest, (i + 1) * longest).reduce((sum, here) => sum + here, 0),
  );
  // Word pieces and the two tokens that begin and end a text.
  assert.deepEqual(counts.slice(0, 2), [7, 3]);
  assert.equal(counts[2], longest);
  const whole = await embedder.embedTexts(texts);
  for (const [i, count] of counts.entries()) {
    const mean = new Float32Array(dims);
    for (let token = 0; token < longest; token++) {
      const row = values.subarray((i * longest + token) * dims, (i * longest + token + 1) * dims);
      if (token >= count) assert.ok(row.every((value) => value === 0));
      row.forEach((value, j) => {
        mean[j] = mean[j]! + value / count;
      });
    }
    const scale = Math.hypot(...mean);
    const likeness = cosine(
      mean.map((value) => value / scale),
      whole[i]!,
    );
    assert.ok(likeness > 0.999_999, `${texts[i]!}: ${String(likeness)}`);
  }
});

test('a text longer than the model takes keeps as many tokens as it takes', async () => {
  const found = await embedder.embedTokens?.(['dog '.repeat(40)]);
  assert.equal(found?.mask.length, 24);
});
