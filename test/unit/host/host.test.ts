/** The host: what clients are told when the engine is slow, wrong, gone or back. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import type { EventName } from '../../../main/contract.ts';
import type { Engine } from '../../../main/engine/types.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { AppError } from '../../../main/errors.ts';
import { openConnection, type HostConnection } from '../../../main/host/connect-host.ts';
import { engineCommand, parseEngineArguments } from '../../../main/host/engine-arguments.ts';
import { portOfMessagePort, type Port } from '../../../main/host/port.ts';
import { serveEngine } from '../../../main/host/serve-engine.ts';
import { startHost } from '../../../main/host/start-host.ts';

/** An engine of one behaviour, where the real one would only be in the way. */
function engineOf(parts: Partial<Engine>): Engine & { emit(name: EventName, payload: unknown): void } {
  const listeners = new Set<(name: EventName, payload: unknown) => void>();
  const none = (): never => {
    throw new AppError('internal', 'not part of this test');
  };
  return {
    call: none,
    callUnknown: none,
    on: none,
    onAny(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    grant: none,
    photoFile: none,
    thumbnail: none,
    displayImage: none,
    photoAt: none,
    close: () => Promise.resolve(),
    emit: (name, payload) => {
      for (const listener of listeners) listener(name, payload);
    },
    ...parts,
  };
}

function connect(
  engine: Engine,
  now = () => performance.now(),
): HostConnection & { closed: Promise<void>; far: Port } {
  const { port1, port2 } = new MessageChannel();
  const far = portOfMessagePort(port2);
  const closed = serveEngine(engine, far, { now }).then(() => far.close());
  return { ...openConnection(portOfMessagePort(port1)), closed, far };
}

const rejection = async (work: Promise<unknown>): Promise<AppError> =>
  work.then(
    () => assert.fail('it was answered'),
    (thrown: unknown) => thrown as AppError,
  );

test('answers find their calls though they come in another order', async () => {
  const waiting: (() => void)[] = [];
  const { client, closed } = connect(
    engineOf({
      callUnknown: (name) =>
        new Promise((resolve) => {
          waiting.unshift(() => resolve(name));
          if (waiting.length === 3) for (const answer of waiting) answer();
        }),
    }),
  );
  const names = ['a', 'b', 'c'];
  assert.deepEqual(await Promise.all(names.map((name) => client.callUnknown(name, {}))), names);
  await client.close();
  await closed;
});

test('errors keep code, message and details on their way', async () => {
  const { client } = connect(
    engineOf({
      callUnknown: (name) =>
        Promise.reject(
          name === 'ours'
            ? new AppError('image-too-large', 'Too large.', { details: { limitMegapixels: 268 } })
            : new TypeError('a fault'),
        ),
    }),
  );
  const ours = await rejection(client.callUnknown('ours', {}));
  assert.deepEqual(
    [ours.code, ours.message, ours.details],
    ['image-too-large', 'Too large.', { limitMegapixels: 268 }],
  );
  assert.equal((await rejection(client.callUnknown('theirs', {}))).code, 'internal');
  await client.close();
});

test('giving up a call reaches the engine, and only that call', async () => {
  const aborted: string[] = [];
  const { client } = connect(
    engineOf({
      callUnknown: (name, _input, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(name);
            reject(new AppError('cancelled', 'Given up.'));
          });
        }),
    }),
  );
  const controller = new AbortController();
  const one = rejection(client.callUnknown('one', {}, { signal: controller.signal }));
  const other = rejection(client.callUnknown('other', {}));
  controller.abort();
  assert.equal((await one).code, 'cancelled');
  assert.deepEqual(aborted, ['one']);
  await client.close();
  assert.equal((await other).code, 'cancelled');
});

test('progress is thinned out to ten a second', async () => {
  let time = 0;
  const { client } = connect(
    engineOf({
      callUnknown: (_name, _input, { progress }) => {
        for (let i = 0; i < 1_000; i++) {
          progress(i);
          time += 1;
        }
        return Promise.resolve('done');
      },
    }),
    () => time,
  );
  const seen: unknown[] = [];
  await client.callUnknown('long', {}, { onProgress: (progress) => seen.push(progress) });
  assert.deepEqual(seen, [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
  await client.close();
});

test('a message that is none of ours is passed over', async () => {
  const { client, far } = connect(engineOf({ callUnknown: () => Promise.resolve('here') }));
  far.postMessage({ type: 'something-else', ports: [] });
  far.postMessage('text');
  assert.equal(await client.callUnknown('x', {}), 'here');
  await client.close();
});

test('when the engine goes, nothing is left waiting', async () => {
  const { client, far, gone } = connect(engineOf({ callUnknown: () => new Promise(() => undefined) }));
  const waiting = rejection(client.callUnknown('x', {}));
  far.close();
  assert.equal((await waiting).code, 'engine-stopped');
  assert.equal((await rejection(client.callUnknown('y', {}))).code, 'engine-stopped');
  assert.match(await gone, /closed/);
  await client.close();
});

test('an engine that cannot be opened is told with its reason', async () => {
  const { port1, port2 } = new MessageChannel();
  const { ready } = openConnection(portOfMessagePort(port1));
  port2.postMessage({ type: 'failed', error: { code: 'library-locked', message: 'Open elsewhere.' } });
  assert.equal((await rejection(ready)).code, 'library-locked');
  port2.close();
});

test('an engine that dies is started again, clients are told, and later calls are answered', async () => {
  const engines: { far: Port; engine: ReturnType<typeof engineOf> }[] = [];
  const pauses: number[] = [];
  const host = await startHost({
    spawnEngine() {
      const { port1, port2 } = new MessageChannel();
      const far = portOfMessagePort(port2);
      const number = engines.length + 1;
      const engine = engineOf({
        callUnknown: (name) =>
          name === 'hang' ? new Promise(() => undefined) : Promise.resolve(`engine ${number}`),
      });
      engines.push({ far, engine });
      // The second one does not come up at all.
      if (number === 2) setImmediate(() => far.close());
      else void serveEngine(engine, far, { now: () => 0 }).then(() => far.close());
      return portOfMessagePort(port1);
    },
    log: silentLog,
    now: () => 0,
    backOffMs: (failures) => {
      pauses.push(failures);
      return 1;
    },
  });
  const restarted = new Promise<string>((resolve) => host.on('restarted', ({ reason }) => resolve(reason)));
  const events: unknown[] = [];
  host.on('library', (payload) => events.push(payload));
  assert.equal(await host.callUnknown('which', {}), 'engine 1');
  const hanging = rejection(host.callUnknown('hang', {}));
  await new Promise(setImmediate);
  engines[0]?.far.close();
  assert.equal((await hanging).code, 'engine-stopped');
  assert.equal(await host.callUnknown('which', {}), 'engine 3');
  assert.match(await restarted, /closed/);
  assert.deepEqual(pauses, [1, 2]);
  engines[2]?.engine.emit('library', { generation: 1, photos: 1 });
  await host.callUnknown('which', {});
  assert.deepEqual(events, [{ generation: 1, photos: 1 }]);
  await host.close();
  await rejection(host.callUnknown('which', {}));
});

test('an engine process is told everything on its command line, and nothing it does not know', () => {
  const { modulePath, args } = engineCommand({ directory: '/l', modelsDirectory: '/m' });
  assert.match(modulePath, /engine-process\.ts$/);
  const parsed = parseEngineArguments(args[0]);
  assert.deepEqual(parsed, {
    directory: '/l',
    modelsDirectory: '/m',
    readOnly: false,
    watch: true,
    verbose: false,
  });
  for (const wrong of [undefined, '', 'x', '{}', '{"directory":"/l","modelsDirectory":"/m","more":1}'])
    assert.throws(() => parseEngineArguments(wrong), { code: 'input-invalid' });
});
