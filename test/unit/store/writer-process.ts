/** A process of its own for tests: opens a library and holds it, or commits batch after batch until it is killed. */
import { openStore } from '../../../main/engine/store/store.ts';
import { dims, file, finished, now } from './temporary-library.ts';

const [directory = '', mode] = process.argv.slice(2);
const store = openStore({ directory, now });
const rootId = store.roots.list()[0]?.id ?? store.roots.add('/photos', now()).id;
const modelId = store.embeddings.model('fingerprint-a', 'starter', dims);

let next = store.photos.counts().total;
function commitBatch(): void {
  const ids = store.photos.add(
    rootId,
    [0, 1, 2, 3].map((n) => file(`${next + n}.jpg`)),
  );
  next += 4;
  const generation = store.photos.commit(
    modelId,
    ids.map((id) => finished(id)),
    [],
  );
  // One whole line per commit: what the test has read was committed.
  process.stdout.write(`${generation}\n`);
}

commitBatch();
if (mode === 'hold') setInterval(() => {}, 1_000);
else {
  const loop = (): void => {
    commitBatch();
    setImmediate(loop);
  };
  loop();
}
