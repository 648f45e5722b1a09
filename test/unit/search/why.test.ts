/** Why a photo matched: its score among the library's, words, tags, and what is left when it can't be read. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { noCameraMetadata } from '../../../main/engine/inference/photo-metadata.ts';
import type { Decoder, Embedder } from '../../../main/engine/inference/types.ts';
import { madeLibrary, type MadeLibrary } from './made-library.ts';

const concepts = ['dog', 'snow'];
const imageSpec: Embedder['imageSpec'] = {
  resize: { shortestEdge: 20 },
  crop: { width: 20, height: 20 },
  resample: 2,
  rescale: 1 / 255,
  mean: [0, 0, 0],
  std: [1, 1, 1],
};

/** Every photo is 40 by 20 pixels, and the image side sees a dog in the left one of its two cells. */
function pictures(): { embedder: Embedder; decoder: Decoder; paths: string[]; broken: { value: boolean } } {
  const paths: string[] = [];
  const broken = { value: false };
  const decoder: Decoder = {
    concurrency: 1,
    decode: (source) => {
      if ('path' in source) paths.push(source.path);
      if (broken.value) return Promise.reject(new AppError('image-broken', 'It is cut short.'));
      return Promise.resolve({
        pixels: new Uint8Array(20 * 20 * 3),
        pixelWidth: 20,
        pixelHeight: 20,
        metadata: { width: 40, height: 20, format: 'jpeg', ...noCameraMetadata },
        thumbnail: null,
      });
    },
    close: () => Promise.resolve(),
  };
  const missing = (): never => {
    throw new Error('not asked for here');
  };
  const embedder: Embedder = {
    fingerprint: 'axes',
    packId: 'axes',
    dims: 64,
    imageSpec,
    batchSize: 8,
    provider: 'cpu',
    get scoring() {
      return missing();
    },
    get selfTest() {
      return missing();
    },
    embedTexts: missing,
    embedQuery: missing,
    embedImages: missing,
    patches: {
      columns: 2,
      rows: 1,
      embed: () => {
        const cells = new Float32Array(2 * 64);
        // The left cell is a dog, the right one nothing.
        cells[0] = 3;
        cells[64 + 40] = 3;
        return Promise.resolve(cells);
      },
    },
    close: () => Promise.resolve(),
  };
  return { embedder, decoder, paths, broken };
}

async function walks(
  t: Parameters<typeof madeLibrary>[0],
): Promise<MadeLibrary & ReturnType<typeof pictures>> {
  const eyes = pictures();
  const library = await madeLibrary(t, concepts, {
    ...eyes,
    options: {
      tagsOf: (photoId) => Promise.resolve([{ tagId: 1, name: `tag of ${photoId}`, probability: 0.4 }]),
    },
  });
  library.add([], 150);
  library.add(['dog'], 20);
  return { ...library, ...eyes };
}
const why = (
  library: MadeLibrary,
  photoId: number,
  text: string,
  examples: { photoId: number; weight: number }[] = [],
) => library.search.why({ photoId, text, examples });

test('a match is told with its score, its place in the library and where it is in the photo', async (t) => {
  const library = await walks(t);
  const answer = await why(library, 160, 'dog');
  const found = (await library.search.query({ text: 'dog', examples: [], offset: 0, limit: 500 })).hits;
  const hit = found.find(({ id }) => id === 160);
  assert.deepEqual([answer.score, answer.band, answer.foundBy], [hit?.score, hit?.band, 'looks']);
  const { library: scores } = answer;
  assert.equal(scores.photos, 170);
  assert.ok(scores.percentile > 0.85 && scores.percentile < 1);
  assert.ok(scores.std > 0 && scores.mean < answer.score);
  assert.ok((scores.likelyAt ?? 0) <= (scores.strongAt ?? -1) && answer.score >= (scores.strongAt ?? 2));
  const { from, to, counts } = scores.histogram;
  assert.ok(from <= answer.score && answer.score <= to && from < to);
  assert.equal(
    counts.reduce((sum, value) => sum + value, 0),
    170,
  );
  assert.deepEqual(answer.tags, [{ tagId: 1, name: 'tag of 160', probability: 0.4 }]);
  assert.deepEqual(answer.words, []);
  assert.deepEqual(answer.heat, {
    method: 'patches',
    rows: 1,
    columns: 2,
    values: [1, 0],
    window: { left: 0.25, top: 0, width: 0.5, height: 1 },
  });
  assert.deepEqual(library.paths, [join('/photos', 'IMG_0160.jpg')]);
});

test('a photo that does not match is told so', async (t) => {
  const library = await walks(t);
  const answer = await why(library, 3, 'dog');
  assert.deepEqual([answer.band, answer.foundBy], ['weak', 'looks']);
  assert.ok(answer.library.percentile < 0.95 && answer.score < (answer.library.likelyAt ?? 0));
});

test('the words that hit are shown in their text, and why names them as what found it', async (t) => {
  const library = await walks(t);
  library.store.captions.setHand(3, 'Our Rex, a good dog', 1);
  const answer = await why(library, 3, 'the dogs of rex');
  assert.deepEqual([answer.band, answer.foundBy], ['strong', 'words']);
  assert.deepEqual(answer.words, [
    { word: 'dogs', where: 'caption', text: 'Our Rex, a good dog' },
    { word: 'rex', where: 'caption', text: 'Our Rex, a good dog' },
  ]);
});

test('an offline or broken photo has no heat map, and all the rest', async (t) => {
  const library = await walks(t);
  library.broken.value = true;
  assert.equal((await why(library, 160, 'dog')).heat, null);
  library.broken.value = false;
  library.store.roots.setOnline(1, false);
  const answer = await why(library, 160, 'dog');
  assert.deepEqual([answer.heat, answer.band], [null, 'strong']);
});

test('a query by photo has nothing to point at', async (t) => {
  const library = await walks(t);
  const answer = await why(library, 161, '', [{ photoId: 160, weight: 1 }]);
  assert.equal(answer.heat, null);
  assert.ok(answer.score > 0.5);
});

test('filters beside the words do not change why a photo matched', async (t) => {
  const library = await walks(t);
  const alone = await why(library, 160, 'dog');
  assert.deepEqual(await why(library, 160, 'dog type:png'), alone);
  library.store.captions.setHand(3, 'Rex', 1);
  assert.deepEqual(await why(library, 3, 'rex type:png'), await why(library, 3, 'rex'));
  assert.equal((await why(library, 3, 'rex type:png')).band, 'strong');
});

test('what is not wanted, and copies, count as they do among the results', async (t) => {
  const library = await walks(t);
  library.store.captions.setHand(160, 'Rex in the park', 1);
  assert.equal((await why(library, 160, 'dog -park')).band, 'weak');
  const [copy = 0] = library.store.photos.add(1, [{ relPath: 'copy.jpg', bytes: 1, mtimeMs: 1 }]);
  const generation = library.store.photos.commitCopy(copy, 160, { bytes: 1, mtimeMs: 1 });
  library.index.upsert([{ id: copy, vector: library.index.vector(160)! }], generation);
  const [first, second] = [await why(library, 160, 'park'), await why(library, copy, 'park')];
  assert.deepEqual([second.band, second.foundBy], ['strong', 'words']);
  assert.equal(first.band, second.band);
});

test('what cannot be told is refused in words', async (t) => {
  const library = await walks(t);
  await assert.rejects(why(library, 999, 'dog'), { code: 'not-found' });
  await assert.rejects(why(library, 3, 'type:jpg'), { code: 'input-invalid' });
  await assert.rejects(why(library, 3, ''), { code: 'input-invalid' });
  const gaveUp = new AbortController();
  gaveUp.abort();
  await assert.rejects(library.search.why({ photoId: 3, text: 'dog', examples: [] }, gaveUp.signal), {
    name: 'AbortError',
  });
});
