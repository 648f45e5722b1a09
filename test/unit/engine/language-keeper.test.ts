/** Which packs caption and answer: chosen, loaded once, replaced under running work, closed in order. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { createLanguageKeeper } from '../../../main/engine/language-keeper.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { openStore } from '../../../main/engine/store/store.ts';
import { AppError } from '../../../main/errors.ts';
import { scriptedModel, type ScriptedModel } from '../describe/scripted-model.ts';

function setUp(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-keeper-'));
  const store = openStore({ directory, now: Date.now });
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const loaded: ScriptedModel[] = [];
  const missing = new Set<string>();
  const keeper = createLanguageKeeper({
    store,
    log: silentLog,
    defaultPackIds: { caption: 'captioner', answer: 'answerer' },
    load(packId) {
      if (missing.has(packId)) return Promise.reject(new AppError('pack-missing', `${packId} is missing.`));
      const tasks =
        packId === 'captioner' ? ['caption' as const] : packId === 'both' ? undefined : ['answer' as const];
      const model = scriptedModel({ packId, name: packId, ...(tasks === undefined ? {} : { tasks }) });
      loaded.push(model);
      return Promise.resolve(model);
    },
  });
  return { store, keeper, loaded, missing };
}
const idOf = (model: { packId: string }): Promise<string> => Promise.resolve(model.packId);

test('a new library has the packs that ship, and a choice is remembered for the tasks that a pack does', async (t) => {
  const { store, keeper } = setUp(t);
  assert.deepEqual([keeper.packId('caption'), keeper.packId('answer')], ['captioner', 'answerer']);
  keeper.choose({ id: 'vilt', tasks: ['answer'] });
  assert.deepEqual([keeper.packId('caption'), keeper.packId('answer')], ['captioner', 'vilt']);
  assert.deepEqual(keeper.tasksOf('vilt'), ['answer']);
  assert.equal(await keeper.useModel('answer', idOf), 'vilt');
  // What a newer version wrote there is not ours to understand.
  store.settings.set('language.packs', { caption: 7 });
  assert.equal(keeper.packId('caption'), 'captioner');
  await keeper.close();
});

test('a pack that does both is loaded once, and one that is not needed any more is closed', async (t) => {
  const { keeper, loaded } = setUp(t);
  await keeper.useModel('caption', idOf);
  assert.equal(loaded.length, 1);
  keeper.choose({ id: 'both', tasks: ['caption', 'answer'] });
  assert.deepEqual(keeper.tasksOf('both'), ['caption', 'answer']);
  await Promise.all([keeper.useModel('caption', idOf), keeper.useModel('answer', idOf)]);
  assert.deepEqual(
    loaded.map(({ packId, closed }) => [packId, closed]),
    [
      ['captioner', true],
      ['both', false],
    ],
  );
  await keeper.close();
  assert.equal(loaded[1]?.closed, true);
});

test('a model that is replaced finishes what it was asked', async (t) => {
  const { keeper, loaded } = setUp(t);
  let finish = (): void => undefined;
  const isClosed = (): boolean | undefined => loaded[0]?.closed;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const working = keeper.useModel('caption', async (model) => {
    await finished;
    return model.packId;
  });
  await keeper.useModel('caption', idOf);
  keeper.choose({ id: 'both', tasks: ['caption', 'answer'] });
  assert.equal(await keeper.useModel('caption', idOf), 'both');
  assert.equal(isClosed(), false);
  finish();
  assert.equal(await working, 'captioner');
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isClosed(), true);
  await keeper.close();
});

test('a pack that could not be loaded is tried again, and one that cannot do the task says so', async (t) => {
  const { keeper, missing, store } = setUp(t);
  missing.add('captioner');
  await assert.rejects(keeper.useModel('caption', idOf), { code: 'pack-missing' });
  missing.clear();
  assert.equal(await keeper.useModel('caption', idOf), 'captioner');
  store.settings.set('language.packs', { answer: 'captioner' });
  await assert.rejects(keeper.useModel('answer', idOf), {
    code: 'not-supported',
    message: /does not answer/,
  });
  await keeper.close();
});

test('packs whose files changed are read anew, and erasing brings back those that ship', async (t) => {
  const { keeper, loaded } = setUp(t);
  await keeper.useModel('caption', idOf);
  keeper.forget(['captioner']);
  await keeper.useModel('caption', idOf);
  assert.equal(loaded.length, 2);
  keeper.choose({ id: 'both', tasks: ['caption', 'answer'] });
  keeper.reset();
  assert.deepEqual([keeper.packId('caption'), keeper.packId('answer')], ['captioner', 'answerer']);
  await keeper.close();
});

test('closing ends the processes, waits for work in hand, and refuses more', async (t) => {
  const { keeper, loaded } = setUp(t);
  let over = false;
  const working = keeper.useModel('caption', async (model) => {
    (model as ScriptedModel).hold = new Promise(() => undefined);
    try {
      await model.caption({ path: '/nowhere/a.jpg' });
    } finally {
      await new Promise((resolve) => setImmediate(resolve));
      over = true;
    }
  });
  const rejected = assert.rejects(working, { code: 'engine-stopped' });
  while (loaded[0]?.requests.length !== 1) await new Promise((resolve) => setImmediate(resolve));
  await keeper.close();
  assert.equal(over, true);
  await rejected;
  await assert.rejects(keeper.useModel('caption', idOf), { code: 'engine-stopped' });
});
