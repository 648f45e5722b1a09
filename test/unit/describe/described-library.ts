/** Real photos on disk in a real store, with a scripted model to look at them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { CaptionProgress } from '../../../main/contract.ts';
import { createAsking, type Asking } from '../../../main/engine/describe/ask.ts';
import { createCaptionRuns, type CaptionRuns } from '../../../main/engine/describe/caption-runs.ts';
import { createCaptions, type Captions } from '../../../main/engine/describe/captions.ts';
import { createCourtesy, type Courtesy } from '../../../main/engine/describe/courtesy.ts';
import type { DescribeOptions, UseModel } from '../../../main/engine/describe/types.ts';
import { locatePhoto } from '../../../main/engine/library/locate.ts';
import { createRate } from '../../../main/engine/library/rate.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import type { Store } from '../../../main/engine/store/types.ts';
import { finished } from '../store/temporary-library.ts';
import { manualDelays, type ManualDelays } from './manual-delays.ts';
import { scriptedModel, type ScriptedModel } from './scripted-model.ts';

export interface DescribedLibrary {
  readonly store: Store;
  readonly photos: string;
  readonly directory: string;
  readonly ids: readonly number[];
  /** The model in use; tests may put another in its place. */
  model: ScriptedModel;
  readonly captions: Captions;
  readonly runs: CaptionRuns;
  readonly asking: Asking;
  readonly courtesy: Courtesy;
  readonly delays: ManualDelays;
  readonly described: number[];
  readonly progress: CaptionProgress[];
  indexing: boolean;
  readonly options: DescribeOptions;
  /** Writes a file and indexes it. */
  add(name: string, content?: string): number;
}

/** @param count photos `photo 1.jpg` and so on, of which the file says which it is. */
export function describedLibrary(t: TestContext, count = 5): DescribedLibrary {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'afterimage-describe-')));
  const directory = join(top, 'library');
  const photos = join(top, 'photos');
  mkdirSync(photos);
  const store = openStore({ directory, now: Date.now });
  t.after(async () => {
    await library.runs.close();
    store.close();
    rmSync(top, { recursive: true, force: true, maxRetries: 5 });
  });
  const rootId = store.roots.add(photos, 1).id;
  const modelId = store.embeddings.model('fingerprint-a', 'starter', 4);
  store.embeddings.setActiveModel(modelId);
  const add = (name: string, content = name): number => {
    const path = join(photos, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    const { size, mtimeMs } = statSync(path);
    const stat = { bytes: size, mtimeMs };
    const [id = 0] = store.photos.add(rootId, [{ relPath: name, ...stat }]);
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 32);
    store.photos.commit(modelId, [finished(id, { hash, stat })], []);
    return id;
  };
  const ids = Array.from({ length: count }, (_, i) => add(`photo ${i + 1}.jpg`));
  const delays = manualDelays();
  const courtesy = createCourtesy(delays);
  const useModel: UseModel = (_task, work) => work(library.model);
  const described: number[] = [];
  const progress: CaptionProgress[] = [];
  const options: DescribeOptions = {
    store,
    log: silentLog,
    now: Date.now,
    locate: (photoId) => locatePhoto(store, photoId),
    useModel,
    courtesy,
    onDescribed: (photoIds) => void described.push(...photoIds),
  };
  const library: DescribedLibrary = {
    store,
    photos,
    directory,
    ids,
    model: scriptedModel(),
    captions: createCaptions(options),
    runs: createCaptionRuns({
      ...options,
      createRate: () => createRate(Date.now),
      isIndexing: () => library.indexing,
      onProgress: (step) => void progress.push(step),
    }),
    asking: createAsking(options),
    courtesy,
    delays,
    described,
    progress,
    indexing: false,
    options,
    add,
  };
  return library;
}

export const listening = { signal: new AbortController().signal, onText: (): void => undefined };
