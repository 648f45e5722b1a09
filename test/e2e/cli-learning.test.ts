/** Learning from the command line with the pack that ships: a name, thumbs, runs that are refused, one that helps, and back. */
import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after, before } from 'node:test';
import { openStore } from '../../main/engine/store/store.ts';
import { cliOver, parseOne, type RunCli, type RunJson } from '../unit/cli/run-over.ts';
import { drawCaptionedShapes, type DrawnShape } from './captioned-shapes.ts';

const shipped = join(import.meta.dirname, '..', '..', 'models');

let place: string;
let photos: string;
let shapes: readonly DrawnShape[];
let ships: { run: RunCli; json: RunJson };

interface Scores {
  readonly r1: number;
  readonly r5: number;
  readonly r10: number;
  readonly mrr: number;
}
interface RunAnswer {
  readonly run: number;
  readonly pairs: number;
  readonly before: Scores;
  readonly after: Scores;
  readonly generic: { readonly before: Scores; readonly after: Scores };
  readonly accepted: boolean;
  readonly seconds: number;
  readonly state: string;
  readonly gain: { readonly low: number; readonly high: number };
  readonly reason: string;
  readonly inUse?: boolean;
}

const found = async (query: string): Promise<string[]> =>
  ((await ships.json('search', query, '--limit', '20'))['hits'] as { path: string }[]).map(({ path }) =>
    basename(path),
  );
const activeRun = async (): Promise<unknown> => (await ships.json('status'))['activeRun'];

before(async () => {
  place = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-learning-')));
  photos = join(place, 'Shapes');
  shapes = await drawCaptionedShapes(photos, 360);
  const directory = join(place, 'library');
  ships = cliOver({ directory, modelsDirectory: shipped });
  // Trying graphics cards is another test's business.
  const store = openStore({ directory, now: () => Date.now() });
  store.settings.set('app', { provider: 'cpu' });
  store.close();
  assert.equal((await ships.json('index', photos))['indexed'], 360);
});
after(() => rm(place, { recursive: true, force: true, maxRetries: 5 }));

test('a name is taught by six photos, and more of the same are found by it', async () => {
  const tents = shapes.filter(({ caption }) => caption.includes(' tent '));
  const shown = tents.slice(0, 6).map(({ name }) => join(photos, name));
  const { name } = (await ships.json('teach', 'Wigwam', ...shown)) as {
    name: { photos: number; check: { found: number; of: number }; problem: unknown };
  };
  assert.deepEqual([name.photos, name.check.of, name.problem], [6, 6, null]);
  const hits = ((await ships.json('search', 'Wigwam', '--limit', '20'))['hits'] as { path: string }[]).map(
    ({ path }) => basename(path),
  );
  const right = hits.filter((hit) => tents.some((each) => each.name === hit)).length;
  assert.ok(
    right / hits.length > (1.5 * tents.length) / shapes.length,
    `${right} of ${hits.length} are tents`,
  );
  await ships.json('search', 'Wigwam', 'on', 'a', 'beach');
  await ships.json('teach', '--forget', 'wigwam');
});

test('thumbs are something to learn from, but five of them are not enough', async () => {
  for (const { name, caption } of shapes.slice(0, 5))
    await ships.json('feedback', join(photos, name), caption, 'up');
  const found = await ships.json('tune', 'sources');
  assert.equal((found['sources'] as { source: string; pairs: number }[])[0]?.pairs, 5);
  const { status, stdout } = await ships.run(['tune', '--json']);
  assert.equal(status, 1);
  const { error } = parseOne(stdout) as { error: { code: string; message: string } };
  assert.equal(error.code, 'input-invalid');
  assert.match(error.message, /more/);
  assert.deepEqual((await ships.json('tune', 'list'))['runs'], []);
  await ships.json('feedback', '--clear');
});

test('captions of other photos teach nothing, and nothing is offered', async () => {
  const shuffled = join(place, 'Shuffled');
  await drawCaptionedShapes(shuffled, 80, { shuffle: true, seed: 9 });
  const run = (await ships.json('tune', '--pairs', shuffled)) as unknown as RunAnswer;
  assert.deepEqual(Object.keys(run), [
    'run',
    'head',
    'loss',
    'pairs',
    'epochs',
    'before',
    'after',
    'generic',
    'accepted',
    'seconds',
    'state',
    'gain',
    'reason',
  ]);
  assert.deepEqual([run.pairs, run.accepted, run.state], [80, false, 'refused']);
  for (const scores of [run.before, run.after, run.generic.before, run.generic.after])
    assert.ok(Object.values(scores).every((share: number) => share >= 0 && share <= 1));
  const { status, stdout } = await ships.run(['tune', 'accept', `${run.run}`, '--json']);
  assert.equal(status, 1);
  assert.equal((parseOne(stdout)['error'] as { code: string }).code, 'input-invalid');
  assert.equal(await activeRun(), null);
});

test('captions in words of one’s own are learnt, used at once, carried elsewhere, and undone', async () => {
  const plain = await found('a tangerine tent on cobalt');
  const run = (await ships.json('tune', '--pairs', photos, '--accept')) as unknown as RunAnswer;
  assert.deepEqual([run.accepted, run.state, run.inUse], [true, 'active', true], run.reason);
  assert.ok(run.after.r10 > run.before.r10 && run.gain.low > 0);
  assert.equal(await activeRun(), run.run);
  const learnt = await found('a tangerine tent on cobalt');
  assert.notDeepEqual(learnt, plain);
  const compared = (await ships.json('tune', 'compare', `${run.run}`, 'a tangerine tent on cobalt')) as {
    comparisons: { text: string; before: { name: string }[]; after: { name: string }[] }[];
  };
  const [side] = compared.comparisons;
  assert.deepEqual(
    [side?.before.map(({ name }) => name), side?.after.map(({ name }) => name)],
    [plain.slice(0, 12), learnt.slice(0, 12)],
  );
  const refused = await ships.run(['tune', 'remove', `${run.run}`, '--json']);
  assert.equal((parseOne(refused.stdout)['error'] as { code: string }).code, 'input-invalid');
  const { path } = (await ships.json('tune', 'export', `${run.run}`, join(place, 'heads'))) as {
    path: string;
  };
  assert.equal((await ships.json('tune', 'undo'))['active'], null);
  assert.deepEqual(await found('a tangerine tent on cobalt'), plain, 'as it was before');
  await ships.json('tune', 'remove', `${run.run}`);
  const { run: imported } = (await ships.json('tune', 'import', path)) as unknown as { run: RunAnswer };
  assert.deepEqual([imported.state, imported.after], ['offered', run.after]);
  await ships.json('tune', 'accept', `${imported.run}`);
  assert.deepEqual(await found('a tangerine tent on cobalt'), learnt, 'the very same head');
  const { stdout } = await ships.run(['tune', 'list']);
  assert.match(stdout, /in use .* imported/);
  await ships.json('tune', 'undo');
});

test('Ctrl-C stops learning after an epoch, and the run goes on to the same end', async () => {
  const settings = ['tune', '--pairs', photos, '--epochs', '12', '--seed', '5'];
  const whole = (await ships.json(...settings)) as unknown as RunAnswer;
  let stop: () => void = () => assert.fail('nothing to stop yet');
  const stopped = await ships.run(settings, {
    columns: 80,
    interrupt: (listener) => (stop = listener),
    onStderr: (text) => {
      if (text.startsWith('epoch ')) stop();
    },
  });
  assert.equal(stopped.status, 1);
  assert.match(stopped.stderr, /epoch +1\/12 {2}loss \d/);
  const [, runId] = /`afterimage tune --resume (\d+)`/.exec(stopped.stderr) ?? [];
  assert.ok(runId !== undefined, stopped.stderr);
  const resumed = (await ships.json('tune', '--resume', runId, '--pairs', photos)) as unknown as RunAnswer;
  assert.equal(resumed.run, Number(runId));
  assert.deepEqual([resumed.before, resumed.after], [whole.before, whole.after]);
});

test('the lab prints the study’s table for the heads asked for', async () => {
  const args = ['lab', 'v1', 'v3', '--pairs', photos, '--limit', '40', '--epochs', '1'];
  const report = (await ships.json(...args)) as {
    captions: string[];
    rightCaption: number;
    rows: { head: string; similarities: number[]; right: boolean; best: number; study: object | null }[];
  };
  assert.equal(report.captions.length, 5);
  assert.deepEqual(
    report.rows.map(({ head, similarities }) => [head, similarities.length]),
    [
      ['v1', 5],
      ['v3', 5],
    ],
  );
  for (const { right, best, study } of report.rows) {
    assert.equal(right, best === report.rightCaption);
    assert.ok(study !== null, 'the study had both');
  }
  const { stdout } = await ships.run(args);
  assert.match(stdout, /^head +best +similarities .* parameters$/m);
  assert.match(stdout, /^v3 +\d\*? /m);
});
