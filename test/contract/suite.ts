/** What every adapter of the contract must do, whatever lies between it and the engine. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { after, before, suite } from 'node:test';
import {
  calls,
  events,
  type CallInput,
  type CallName,
  type CallOptions,
  type CallOutput,
  type Client,
  type EventName,
} from '../../main/contract.ts';
import type { ErrorCode } from '../../main/errors.ts';
import { describingCalls } from './describing-calls.ts';
import { gatheringCalls } from './gathering-calls.ts';
import { learningCalls } from './learning-calls.ts';
import { makeSmallLibrary, photoCount, type SmallLibrary } from './small-library.ts';

export interface OpenAdapter {
  readonly client: Client;
  /** As the shell of this adapter would, for a folder that a person chose. */
  grant(path: string): Promise<string>;
}

/** What the tests of one adapter share. */
export interface SuiteTools {
  /** Calls, and fails where the answer is not what the contract says. */
  readonly call: <K extends CallName>(
    name: K,
    input: CallInput<K>,
    options?: CallOptions<K>,
  ) => Promise<CallOutput<K>>;
  readonly refused: (work: Promise<unknown>, code: ErrorCode) => Promise<void>;
  readonly adapter: OpenAdapter;
  readonly place: SmallLibrary;
  /** Every event so far, in order. */
  readonly heard: readonly { readonly name: EventName; readonly payload: unknown }[];
  /** Of the newest photo. */
  readonly firstId: () => Promise<number>;
}

/** Runs the suite over one adapter. @param open called once, with an empty library. */
export function contractSuite(
  name: string,
  open: (place: SmallLibrary) => Promise<OpenAdapter>,
  options: {
    /** Calls that this adapter answers by itself and whose answers only it can have. */
    readonly alsoCovers?: readonly CallName[];
  } = {},
): void {
  suite(`contract over ${name}`, { timeout: 180_000 }, () => {
    let place: SmallLibrary;
    let adapter: OpenAdapter;
    const called = new Set<string>(options.alsoCovers ?? []);
    const heard: { name: EventName; payload: unknown }[] = [];

    const call = async <K extends CallName>(
      callName: K,
      input: CallInput<K>,
      callOptions?: CallOptions<K>,
    ): Promise<CallOutput<K>> => {
      called.add(callName);
      const output = await adapter.client.call(callName, input, callOptions);
      // What the renderer may rely on is what the contract says, no less.
      const parsed = calls[callName].output.safeParse(output);
      assert.ok(
        parsed.success,
        `${callName} answered ${JSON.stringify(output)}: ${parsed.error?.message ?? ''}`,
      );
      return output;
    };
    const refused = async (work: Promise<unknown>, code: ErrorCode): Promise<void> => {
      const thrown = await work.then(
        (value) => assert.fail(`it answered ${JSON.stringify(value)} instead of ${code}`),
        (reason: unknown) => reason as { code?: unknown; message?: unknown },
      );
      assert.equal(thrown.code, code, String(thrown.message));
      assert.equal(typeof thrown.message, 'string');
    };
    const firstId = async (): Promise<number> => {
      const [id] = (await call('photos.timeline', {})).ids;
      assert.ok(id !== undefined);
      return id;
    };

    before(async () => {
      place = await makeSmallLibrary();
      adapter = await open(place);
      for (const eventName of Object.keys(events) as EventName[])
        adapter.client.on(eventName, (payload) => heard.push({ name: eventName, payload }));
    });
    after(async () => {
      await adapter.client.close();
      await place.remove();
    });

    test('a new library is empty and says so', async () => {
      const status = await call('library.status', {});
      assert.equal(status.photos, 0);
      assert.equal(status.path, place.directory);
      assert.deepEqual((await call('roots.list', {})).roots, []);
      assert.equal((await call('search.query', {})).plan, 'empty');
      assert.equal((await call('search.query', { text: 'a dog' })).total, 0);
    });

    test('a granted folder becomes a root, once', async () => {
      const added = await call('roots.add', { grant: await adapter.grant(place.photos) });
      assert.equal(added.root.path, place.photos);
      assert.equal(added.alreadyCovered, false);
      const inside = await call('roots.add', {
        grant: await adapter.grant(join(place.photos, 'Summer 2019')),
      });
      assert.deepEqual([inside.alreadyCovered, inside.root.id], [true, added.root.id]);
      await refused(adapter.client.call('roots.add', { grant: place.photos }), 'not-found');
      await refused(adapter.client.call('roots.add', { grant: 'made-up' }), 'not-found');
    });

    test('indexing reports, fails only what is broken, and is told of while it runs', async () => {
      const phases = new Set<string>();
      const report = await call('indexing.run', {}, { onProgress: ({ phase }) => phases.add(phase) });
      assert.equal(report.photos, photoCount + 1);
      assert.equal(report.failed.length, 1);
      assert.match(report.failed[0]?.path ?? '', /broken\.jpg$/);
      assert.ok(heard.some((event) => event.name === 'indexing'));
      assert.equal((await call('indexing.state', {})).phase, 'idle');
      const status = await call('library.status', {});
      assert.deepEqual([status.photos, status.indexed, status.failed], [photoCount + 1, photoCount, 1]);
      assert.equal(status.activePack?.id, 'starter');
      assert.equal(status.index.size, photoCount);
    });

    test('a second run does no work', async () => {
      const report = await call('indexing.run', {
        rootIds: [(await call('roots.list', {})).roots[0]?.id ?? 0],
      });
      assert.deepEqual([report.indexed, report.unchanged], [0, photoCount + 1 - report.failed.length]);
    });

    test('failures can be read and retried', async () => {
      const { total, failures } = await call('indexing.failures', {});
      assert.equal(total, 1);
      assert.match(failures[0]?.path ?? '', /broken\.jpg$/);
      assert.equal(failures[0]?.code, 'image-broken');
      const photoIds = failures.map(({ photoId }) => photoId);
      assert.equal((await call('indexing.retry', { photoIds })).queued, 1);
      await call('indexing.run', {});
      assert.equal((await call('indexing.failures', {})).total, 1);
    });

    test('indexing can be paused and resumed', async () => {
      await call('indexing.pause', {});
      await call('indexing.resume', {});
      await call('indexing.run', {});
    });

    test('the timeline has every photo, newest first', async () => {
      const { ids, aspects, months } = await call('photos.timeline', {});
      assert.equal(ids.length, photoCount);
      assert.equal(aspects.length, photoCount);
      assert.equal(
        months.reduce((sum, { count }) => sum + count, 0),
        photoCount,
      );
    });

    test('a photo is told with all that is known of it', async () => {
      const { hits } = await call('search.query', { text: 'after:2018 before:2019' });
      const detail = await call('photos.get', { photoId: hits[0]?.id ?? -1 });
      assert.equal(detail.camera, 'Testcam 3');
      assert.equal(detail.takenAt, Date.UTC(2018, 4, 3, 12));
      assert.equal(detail.takenAtSource, 'exif');
      assert.equal(detail.status, 'indexed');
      await refused(adapter.client.call('photos.get', { photoId: 999_999 }), 'not-found');
    });

    test('files with the same bytes are found, and folded in results', async () => {
      const { total, groups } = await call('photos.duplicates', {});
      assert.equal(total, 1);
      assert.equal(groups[0]?.photos.length, 2);
      const result = await call('search.query', { text: 'anything' });
      assert.equal(result.total, photoCount - 1);
      assert.deepEqual(
        result.hits.map(({ copies }) => copies).filter((copies) => copies > 0),
        [1],
      );
    });

    test('a query ranks, in bands, by falling score', async () => {
      const { hits, bands, total, plan } = await call('search.query', { text: 'a red car' });
      assert.equal(bands.strong + bands.likely + bands.weak, total);
      assert.deepEqual(
        [...hits].sort((a, b) => b.score - a.score).map(({ id }) => id),
        hits.map(({ id }) => id),
      );
      assert.ok(plan === 'exact' || plan === 'hnsw');
    });

    test('filters narrow, alone and with words', async () => {
      const folder = await call('search.query', { text: 'in:"summer 2019"' });
      assert.deepEqual([folder.total, folder.plan], [3, 'filter-only']);
      const png = await call('search.query', { text: 'sea type:png' });
      assert.equal(png.total, 1);
      assert.equal((await call('search.query', { text: 'camera:nikon' })).total, 0);
      assert.equal((await call('search.query', { text: '"photo 3"' })).total, 1);
    });

    test('pages follow each other without gap or repetition', async () => {
      const whole = await call('search.query', { text: 'house' });
      const pages = await Promise.all(
        [0, 4, 8].map((offset) => call('search.query', { text: 'house', offset, limit: 4 })),
      );
      assert.deepEqual(
        pages.flatMap(({ hits }) => hits.map(({ id }) => id)),
        whole.hits.map(({ id }) => id),
      );
      assert.deepEqual((await call('search.query', { text: 'house', offset: 100 })).hits, []);
    });

    test('what is not wanted is parsed as such, and any query is answered', async () => {
      const { chips } = await call('search.parse', { text: 'dog -snow after:someday' });
      assert.deepEqual(
        chips.map(({ kind }) => kind),
        ['text', 'without', 'after'],
      );
      assert.equal(typeof chips[2]?.problem, 'string');
      for (const text of ['-', '-snow', '🏖️', '狗 －雪', '"', 'x'.repeat(2_000)])
        await call('search.query', { text });
    });

    test('a photo of the library, a dropped picture and words can be mixed', async () => {
      const photoId = await firstId();
      const like = await call('search.query', { examples: [{ photoId }] });
      assert.ok(like.hits.every(({ id }) => id !== photoId));
      assert.equal(like.chips[0]?.kind, 'like');
      const image = (await readFile(join(place.photos, 'photo 1.png'))).toString('base64');
      const { exampleId, width } = await call('search.addExample', { image, name: 'photo 1.png' });
      assert.equal(width, 80);
      const found = await call('search.query', { examples: [{ exampleId }] });
      assert.match(found.hits[0]?.name ?? '', /photo 1\.png/);
      await call('search.query', { text: 'night', examples: [{ exampleId, weight: -0.5 }, { photoId }] });
      await refused(adapter.client.call('search.query', { examples: [{ photoId: 999_999 }] }), 'not-found');
      await refused(adapter.client.call('search.query', { examples: [{ exampleId: 'gone' }] }), 'not-found');
    });

    test('a picture that is none is refused with its reason, whatever its size', async () => {
      const noImage = Buffer.from('no picture at all').toString('base64');
      await refused(
        adapter.client.call('search.addExample', { image: noImage, name: 'a.jpg' }),
        'image-unsupported',
      );
      await refused(
        adapter.client.call('search.addExample', { image: 'A'.repeat(8 * 2 ** 20), name: 'zeros.jpg' }),
        'image-unsupported',
      );
    });

    test('labels get probabilities that sum to one', async () => {
      const photoId = await firstId();
      const { labels, path } = await call('search.classify', { photoId, labels: ['dog', 'cat', 'car'] });
      assert.deepEqual(
        labels.map(({ label }) => label),
        ['dog', 'cat', 'car'],
      );
      assert.ok(Math.abs(labels.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-5);
      assert.ok(path.startsWith(place.photos));
      await refused(
        adapter.client.call('search.classify', { photoId: 999_999, labels: ['dog'] }),
        'not-found',
      );
    });

    test('suggestions are a short list', async () => {
      assert.ok((await call('search.suggestions', {})).queries.length <= 5);
    });

    test('packs are listed and checked, and providers told', async () => {
      const { packs } = await call('packs.list', {});
      assert.deepEqual(
        packs.filter(({ active }) => active.includes('embed')).map(({ id }) => id),
        ['starter'],
      );
      assert.equal(packs.find(({ id }) => id === 'starter')?.photos, photoCount);
      assert.equal((await call('packs.verify', { packId: 'starter' })).selfTest.passed, true);
      const { providers } = await call('providers.list', {});
      assert.ok(providers.some(({ name: provider, available }) => provider === 'cpu' && available));
    });

    test('using another pack embeds everything beside, then swaps', async () => {
      const stages: string[] = [];
      const { pack } = await call(
        'packs.use',
        { packId: 'other' },
        { onProgress: ({ stage }) => stages.push(stage) },
      );
      assert.deepEqual([pack.active, pack.photos], [['embed'], photoCount]);
      assert.ok(stages.length > 0);
      const result = await call('search.query', { text: 'a red car' });
      assert.equal(result.total, photoCount - 1);
      await call('packs.use', { packId: 'starter' });
      await refused(adapter.client.call('packs.use', { packId: 'nowhere' }), 'pack-missing');
    });

    test('a folder with a pack can be installed and removed again', async () => {
      const { pack } = await call('packs.installFolder', { grant: await adapter.grant(place.loosePack) });
      assert.equal(pack.installed, true);
      await call('packs.remove', { packId: pack.id });
      assert.ok(!(await call('packs.list', {})).packs.some(({ id }) => id === pack.id));
      await refused(
        call('packs.installFolder', { grant: await adapter.grant(place.photos) }),
        'pack-invalid',
      );
      await refused(adapter.client.call('packs.remove', { packId: 'starter' }), 'input-invalid');
      called.add('packs.install');
      await refused(adapter.client.call('packs.install', { packId: 'nowhere' }), 'pack-missing');
    });

    test('settings are kept, one by one', async () => {
      const before = await call('settings.get', {});
      const changed = await call('settings.set', { theme: 'dark', thumbnailsMaxBytes: 2 ** 28 });
      assert.deepEqual(changed, { ...before, theme: 'dark', thumbnailsMaxBytes: 2 ** 28 });
      assert.deepEqual(await call('settings.get', {}), changed);
    });

    const tools: SuiteTools = {
      call,
      refused,
      firstId,
      heard,
      get adapter() {
        return adapter;
      },
      get place() {
        return place;
      },
    };
    describingCalls(tools);
    gatheringCalls(tools);
    learningCalls(tools);

    test('input that does not fit is refused and does nothing', async () => {
      const wrong: [string, unknown][] = [
        ['photos.get', { photoId: 'one' }],
        ['photos.get', { photoId: -1 }],
        ['photos.get', { photoId: 1, more: true }],
        ['photos.get', null],
        ['search.query', { text: 'x'.repeat(2_001) }],
        ['search.query', { limit: 100_000 }],
        ['search.query', { examples: [{ photoId: 1, weight: 99 }] }],
        ['search.classify', { photoId: 1, labels: [] }],
        ['settings.set', { theme: 'pink' }],
        ['captions.set', { photoId: 1, text: 'x'.repeat(2_001) }],
        ['ask.photo', { photoId: 1, question: 'x'.repeat(100_001) }],
        ['ask.results', { question: 'what?', limit: 0 }],
        ['tags.set', { name: '' }],
        ['albums.create', { name: 'both', photoIds: [], query: { text: 'dog' } }],
        ['albums.create', { name: 'x', query: { text: 'dog', band: 'weak' } }],
        ['feedback.set', { photoId: 1, text: '', vote: 'up' }],
        ['feedback.set', { photoId: 1, text: 'dog', vote: 'sideways' }],
        ['queries.remember', { text: '' }],
        ['names.teach', { name: '', photoIds: [1] }],
        ['tune.run', { epochs: 0 }],
        ['tune.run', { head: 'heart' }],
        ['tune.accept', {}],
        ['lab.run', { limit: 1 }],
        ['library.erase', { confirm: 'yes' }],
        ['no.such.call', {}],
        ['constructor', {}],
        ['__proto__', {}],
      ];
      for (const [wrongName, input] of wrong)
        await refused(
          adapter.client.call(wrongName as 'photos.get', input as { photoId: number }),
          'input-invalid',
        );
    });

    test('a call that is given up rejects as cancelled, and the next one works', async () => {
      const controller = new AbortController();
      const running = adapter.client.call('indexing.run', {}, { signal: controller.signal });
      controller.abort();
      await refused(running, 'cancelled');
      await refused(adapter.client.call('roots.list', {}, { signal: AbortSignal.abort() }), 'cancelled');
      await call('roots.list', {});
    });

    test('many calls at once are each answered with their own', async () => {
      const { ids } = await call('photos.timeline', {});
      const details = await Promise.all(ids.map((photoId) => call('photos.get', { photoId })));
      assert.deepEqual(
        details.map(({ id }) => id),
        ids,
      );
    });

    test('a root that is removed takes its photos along, and events tell of it', async () => {
      heard.length = 0;
      const told = new Promise((resolve) => {
        const stop = adapter.client.on('roots', ({ roots }) => {
          if (roots.length > 0) return;
          stop();
          resolve(roots);
        });
      });
      const [root] = (await call('roots.list', {})).roots;
      assert.ok(root !== undefined);
      assert.equal((await call('roots.remove', { rootId: root.id })).removedPhotos, photoCount + 1);
      assert.equal((await call('search.query', { text: 'dog' })).total, 0);
      await refused(adapter.client.call('roots.remove', { rootId: root.id }), 'not-found');
      await told;
      for (const event of heard) assert.ok(events[event.name].safeParse(event.payload).success, event.name);
    });

    test('erasing forgets everything but the originals', async () => {
      await call('roots.add', { grant: await adapter.grant(place.photos) });
      await call('indexing.run', {});
      await call('feedback.set', { photoId: await firstId(), text: 'sea', vote: 'up' });
      await call('library.erase', { confirm: 'erase' });
      assert.equal((await call('feedback.list', {})).up, 0);
      const status = await call('library.status', {});
      assert.deepEqual([status.photos, status.roots.length, status.index.size], [0, 0, 0]);
      await readFile(join(place.photos, 'photo 1.png'));
    });

    test('every call of the engine was made by this suite', () => {
      const engineCalls = (Object.keys(calls) as CallName[]).filter((each) => calls[each].at === 'engine');
      assert.deepEqual(
        engineCalls.filter((each) => !called.has(each)),
        [],
      );
    });
  });
}
