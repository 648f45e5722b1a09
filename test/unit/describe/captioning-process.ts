/** A process of its own for tests: captions a library with a scripted model until it is killed. */
import { createCaptionRuns } from '../../../main/engine/describe/caption-runs.ts';
import { createCourtesy } from '../../../main/engine/describe/courtesy.ts';
import { locatePhoto } from '../../../main/engine/library/locate.ts';
import { createRate } from '../../../main/engine/library/rate.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import { scriptedModel } from './scripted-model.ts';

const [directory = ''] = process.argv.slice(2);
const store = openStore({ directory, now: Date.now });
const model = scriptedModel();
const runs = createCaptionRuns({
  store,
  log: silentLog,
  now: Date.now,
  locate: (photoId) => locatePhoto(store, photoId),
  useModel: (_task, work) => work(model),
  courtesy: createCourtesy({ after: () => () => undefined }),
  // One whole line for each photo that is done: what the test has read was committed.
  onDescribed: ([photoId]) => void process.stdout.write(`${String(photoId)}\n`),
  createRate: () => createRate(Date.now),
  isIndexing: () => false,
  onProgress: () => undefined,
});
await runs.run({ again: false, signal: new AbortController().signal });
store.close();
