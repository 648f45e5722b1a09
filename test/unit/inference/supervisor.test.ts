/** Real processes that die, hang and come back. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError, type ErrorCode } from '../../../main/errors.ts';
import { createNodeSpawner } from '../../../main/engine/inference/node-spawner.ts';
import { supervise, type Supervisor } from '../../../main/engine/inference/supervisor.ts';
import { silentLog } from '../../../main/engine/log.ts';

const entry = join(import.meta.dirname, 'faulty-process.ts');
const spawn = createNodeSpawner({ log: silentLog, entry: () => entry });

function started(context: TestContext, model?: string): Supervisor {
  const supervisor = supervise({
    name: 'vision',
    spawn,
    log: silentLog,
    ...(model === undefined ? {} : { setup: { type: 'load', payload: model } }),
  });
  context.after(() => supervisor.close());
  return supervisor;
}

interface Echo {
  readonly value: unknown;
  readonly loaded: string;
  readonly pid: number;
}
const echo = async (supervisor: Supervisor, value: unknown = 1): Promise<Echo> =>
  (await supervisor.request('echo', value)) as Echo;

const code = (wanted: ErrorCode) => (thrown: unknown) => {
  assert.ok(thrown instanceof AppError, String(thrown));
  assert.equal(thrown.code, wanted);
  return true;
};

/** Resolves when the system knows no process of this id any more. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

test('typed arrays cross to the worker and back', async (context) => {
  const supervisor = started(context);
  const { value } = await echo(supervisor, { pixels: Uint8Array.of(1, 2), vector: Float32Array.of(0.5) });
  assert.deepEqual(value, { pixels: Uint8Array.of(1, 2), vector: Float32Array.of(0.5) });
});

test('an error thrown in the worker keeps its code, message and details', async (context) => {
  const supervisor = started(context);
  await assert.rejects(supervisor.request('fail', null), (thrown: unknown) => {
    assert.ok(thrown instanceof AppError);
    assert.deepEqual(thrown.toShape(), {
      code: 'image-broken',
      message: 'It is damaged.',
      details: { name: 'a.jpg' },
    });
    return true;
  });
});

test('a worker killed in the middle of a request gives worker-died, and the next request works', async (context) => {
  const supervisor = started(context, 'clip');
  const { pid } = await echo(supervisor);
  const others = [supervisor.request('hang', 1), supervisor.request('hang', 2)];
  await assert.rejects(supervisor.request('die', null), code('worker-died'));
  for (const other of others) await assert.rejects(other, code('worker-died'));
  const again = await echo(supervisor);
  assert.notEqual(again.pid, pid);
  assert.equal(again.loaded, 'clip', 'the model is loaded again before the first request');
});

test('a worker that leaves by itself is missed in the same way', async (context) => {
  const supervisor = started(context);
  await assert.rejects(supervisor.request('leave', null), code('worker-died'));
  assert.equal((await echo(supervisor)).value, 1);
});

test('a request that takes too long ends the worker and says so in its own words', async (context) => {
  const supervisor = started(context);
  await echo(supervisor);
  const innocent = supervisor.request('hang', 1);
  await assert.rejects(
    supervisor.request('hang', 2, {
      timeoutMs: 20,
      onTimeout: () => new AppError('image-timeout', 'too long'),
    }),
    code('image-timeout'),
  );
  await assert.rejects(
    innocent,
    (thrown: unknown) => thrown instanceof AppError && thrown.details?.['culprit'] === 'other',
  );
  assert.equal((await echo(supervisor)).value, 1);
});

test('a setup that fails is the answer to what waits for it, and is tried again', async (context) => {
  const supervisor = started(context, 'broken');
  await assert.rejects(supervisor.request('echo', 1), code('pack-invalid'));
  await assert.rejects(supervisor.request('echo', 1), code('pack-invalid'));
});

test('stopping gives the memory back and the next request starts a fresh process', async (context) => {
  const supervisor = started(context, 'clip');
  const { pid } = await echo(supervisor);
  supervisor.stop();
  const again = await echo(supervisor);
  assert.notEqual(again.pid, pid);
  assert.equal(again.loaded, 'clip');
});

test('closing ends the process, rejects what is in flight and refuses what comes later', async (context) => {
  const supervisor = started(context);
  const { pid } = await echo(supervisor);
  const waiting = assert.rejects(supervisor.request('hang', 1), code('engine-stopped'));
  await supervisor.close();
  await waiting;
  assert.ok(isGone(pid), 'no process is left behind');
  await assert.rejects(supervisor.request('echo', 1), code('engine-stopped'));
});

test('a worker does not see the environment of its parent', async (context) => {
  process.env['AFTERIMAGE_SECRET'] = 'hidden';
  context.after(() => {
    delete process.env['AFTERIMAGE_SECRET'];
  });
  assert.equal(await started(context).request('secrets', null), 'none');
});

test('a worker exits by itself when its parent is gone', async () => {
  const child = fork(entry, [], { serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  child.send({ id: 1, type: 'echo', payload: 1 });
  await once(child, 'message');
  child.disconnect();
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  assert.equal(exitCode, 0);
});
