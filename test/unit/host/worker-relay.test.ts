/** Workers of an engine in a utility process: started by the main process, and only those that are ours. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Port } from '../../../main/host/port.ts';
import { createRelaySpawner, relayWorkers, type RelayedProcess } from '../../../main/host/worker-relay.ts';

/** Two ends of a wire without delay. */
function wire(): [Port, Port] {
  const listeners: [((message: unknown) => void)[], ((message: unknown) => void)[]] = [[], []];
  const end = (mine: 0 | 1): Port => ({
    postMessage(message) {
      for (const listener of listeners[mine === 0 ? 1 : 0]) listener(structuredClone(message));
    },
    on(event: 'message' | 'close', listener: (value: never) => void) {
      if (event === 'message') listeners[mine].push(listener as (message: unknown) => void);
    },
    close: () => undefined,
  });
  return [end(0), end(1)];
}

function setUp() {
  const [engine, main] = wire();
  interface Started {
    readonly name: string;
    readonly path: string;
    readonly posted: unknown[];
    killed: boolean;
    say: (message: unknown) => void;
    exit: (code: number) => void;
  }
  const started: Started[] = [];
  const end = relayWorkers(main, (path, name): RelayedProcess => {
    const nothing = (): void => undefined;
    const child: Started = { name, path, posted: [], killed: false, say: nothing, exit: nothing };
    started.push(child);
    return {
      postMessage: (message) => void child.posted.push(message),
      on(event: 'message' | 'exit', listener: (value: never) => void) {
        if (event === 'message') child.say = listener as (message: unknown) => void;
        else child.exit = listener as (code: number) => void;
      },
      kill: () => (child.killed = true),
    };
  });
  return { spawn: createRelaySpawner(engine), engine, started, end };
}

test('every worker that the engine has is started by name, spoken with, and heard of when it ends', () => {
  const { spawn, started } = setUp();
  for (const name of ['decoder', 'vision', 'text', 'language'] as const) {
    const worker = spawn(name);
    const heard: unknown[] = [];
    worker.onMessage((message) => void heard.push(message));
    worker.onExit((code, signal) => void heard.push([code, signal]));
    const child = started.at(-1);
    assert.ok(child?.name === name && child.path.includes(`${name}-process`));
    worker.post({ hello: name });
    child.say({ from: name });
    child.exit(3);
    assert.deepEqual([child.posted, heard], [[{ hello: name }], [{ from: name }, [3, null]]]);
  }
});

test('no other file is ever started, whatever the engine asks for', () => {
  const { engine, started } = setUp();
  engine.postMessage({ type: 'worker-start', id: 1, modulePath: '/tmp/evil.js', name: 'language' });
  engine.postMessage({ type: 'worker-start', id: 'x' });
  assert.equal(started.length, 0);
});

test('a worker is killed on the engine’s word, and all of them with the engine', () => {
  const { spawn, started, end } = setUp();
  spawn('text').kill();
  spawn('language');
  assert.deepEqual(
    started.map(({ killed }) => killed),
    [true, false],
  );
  end();
  assert.equal(started[1]?.killed, true);
});
