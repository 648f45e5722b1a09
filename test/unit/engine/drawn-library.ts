/** Libraries of drawn pictures over the shipped pack, for tests of learning through the whole engine. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallInput, SearchResult } from '../../../main/contract.ts';
import { createEngine } from '../../../main/engine/engine.ts';
import type { SpawnWorker, WorkerProcess } from '../../../main/engine/inference/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Engine, EngineOptions } from '../../../main/engine/types.ts';
import { createNodeSpawner } from '../../../main/engine/workers.ts';
import { makePack } from '../../fixtures/make-pack.ts';
import { drawWords, wordOf } from './drawn-words.ts';

const shipped = join(import.meta.dirname, '..', '..', '..', 'models');

export interface OpenedLibrary {
  readonly engine: Engine;
  readonly directory: string;
  /** Photo ids in the order of the names. */
  readonly ids: number[];
  /** The process that trains, once it was started. */
  readonly trainer: () => WorkerProcess | undefined;
  /** While it is set, what the trainer says is kept back until `release`. */
  hold: boolean;
  readonly release: () => void;
}

export interface DrawnLibrary {
  /** Holds the folder "photos". */
  readonly top: string;
  readonly names: readonly string[];
  readonly open: (directory: string, options?: Partial<EngineOptions>) => Promise<OpenedLibrary>;
  /** A copy of the library, with captions by hand on the first `captioned` photos. */
  readonly with: (captioned: number, textOf?: (n: number) => string) => Promise<OpenedLibrary>;
  /** Every engine that is open. */
  readonly closeAll: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** An indexed library of so many pictures, about which nothing was said yet; tests work on copies. Packs: starter, other. */
export async function drawLibrary(count: number): Promise<DrawnLibrary> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-tuning-')));
  const names = await drawWords(join(top, 'photos'), count);
  const modelsDirectory = join(top, 'models');
  await mkdir(modelsDirectory);
  await cp(join(shipped, 'starter'), join(modelsDirectory, 'starter'), { recursive: true });
  await makePack({
    dir: join(modelsDirectory, 'other'),
    family: 'clip',
    shape: 'tiny',
    seed: 5,
    id: 'other',
  });
  const manifest = { schema: 1, origin: 'https://localhost', hosts: ['localhost'], packs: [] };
  await writeFile(join(modelsDirectory, 'manifest.json'), JSON.stringify(manifest));
  const pristine = join(top, 'pristine');
  const store = openStore({ directory: pristine, now: () => Date.now() });
  // Trying graphics cards takes seconds, and is another test's business.
  store.settings.set('app', { provider: 'cpu' });
  store.close();

  const engines: Engine[] = [];
  let copies = 0;
  const open: DrawnLibrary['open'] = async (directory, options = {}) => {
    const held = holdable();
    const engine = await createEngine({
      directory,
      modelsDirectory,
      spawn: held.spawn,
      now: () => Date.now(),
      log: silentLog,
      watch: false,
      ...options,
    });
    engines.push(engine);
    const ids: number[] = [];
    for (const name of names) ids.push((await engine.photoAt(join(top, 'photos', name))) ?? -1);
    return Object.assign(held, { engine, directory, ids });
  };
  const { engine } = await open(pristine);
  await engine.call('roots.add', { grant: engine.grant(join(top, 'photos')) });
  await engine.call('indexing.run', {});
  await engine.close();
  return {
    top,
    names,
    open,
    async with(captioned, textOf = wordOf) {
      copies += 1;
      const directory = join(top, `library ${String(copies)}`);
      await cp(pristine, directory, { recursive: true });
      const opened = await open(directory);
      for (const [n, photoId] of opened.ids.slice(0, captioned).entries())
        await opened.engine.call('captions.set', { photoId, text: textOf(n) });
      return opened;
    },
    async closeAll() {
      for (const each of engines.splice(0)) await each.close();
    },
    remove: () => rm(top, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Starts processes as the app does; the one that trains can be told to be heard later. */
function holdable(): Pick<OpenedLibrary, 'hold' | 'release' | 'trainer'> & { readonly spawn: SpawnWorker } {
  const spawn = createNodeSpawner({ log: silentLog });
  const kept: (() => void)[] = [];
  let trainer: WorkerProcess | undefined;
  const held = {
    hold: false,
    trainer: () => trainer,
    release() {
      held.hold = false;
      for (const pass of kept.splice(0)) pass();
    },
    spawn(name: Parameters<SpawnWorker>[0]): WorkerProcess {
      const worker = spawn(name);
      if (name !== 'tune') return worker;
      trainer = worker;
      return {
        post: (message) => worker.post(message),
        onMessage: (listener) =>
          worker.onMessage((message) => {
            if (held.hold) kept.push(() => listener(message));
            else listener(message);
          }),
        onExit: (listener) => worker.onExit(listener),
        kill: () => worker.kill(),
      };
    },
  };
  return held;
}

/** What searching gives now, to the last digit. */
export async function standing(engine: Engine): Promise<unknown> {
  const results: SearchResult['hits'][] = [];
  for (const text of ['kiwsed', 'a red circle', 'misvo -stripes'])
    results.push((await engine.call('search.query', { text, limit: 50 })).hits);
  const { index, activeRun, photos } = await engine.call('library.status', {});
  return { results, size: index.size, activeRun, photos };
}

/** The run is refused as it should be, and the library is as it was. */
export async function refuses(
  engine: Engine,
  input: CallInput<'tune.run'>,
  error: { code: string; message: RegExp },
): Promise<void> {
  const asItWas = await standing(engine);
  await assert.rejects(engine.call('tune.run', input), error);
  assert.deepEqual((await engine.call('tune.runs', {})).runs, []);
  assert.deepEqual(await standing(engine), asItWas);
}
