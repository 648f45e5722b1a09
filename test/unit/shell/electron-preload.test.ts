import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import test from 'node:test';
import { loadPreload, type Bridge } from './load-preload.ts';

function load(): {
  bridge: Bridge;
  keys: string[];
  invoked: unknown[];
  ipc: EventEmitter;
  answer: (value: unknown) => void;
} {
  const invoked: unknown[] = [];
  const pending: ((value: unknown) => void)[] = [];
  const ipc = Object.assign(new EventEmitter(), {
    invoke: (channel: string, message: unknown) => {
      invoked.push({ channel, message });
      return new Promise((resolve) => pending.push(resolve));
    },
  });
  const exposed = loadPreload(ipc);
  const bridge = exposed.get('afterimage');
  assert.ok(bridge);
  return { bridge, keys: [...exposed.keys()], invoked, ipc, answer: (value) => pending.shift()?.(value) };
}

test('the page gets four functions and no part of Electron', () => {
  const { bridge, keys } = load();
  assert.deepEqual(keys, ['afterimage']);
  assert.deepEqual(Object.keys(bridge).sort(), ['call', 'cancel', 'grantDropped', 'on']);
  assert.ok(Object.values(bridge).every((each) => typeof each === 'function'));
});

test('a call goes out by name, hears its own progress and returns its answer', async () => {
  const { bridge, invoked, ipc, answer } = load();
  const heard: unknown[] = [];
  const result = bridge.call('c1', 'packs.install', { packId: 'p' }, (value) => heard.push(value));
  const send = (callId: string): unknown =>
    ipc.emit('afterimage:message', {}, { kind: 'progress', callId, progress: 0.5 });
  send('c1');
  send('c2');
  answer({ output: 1 });
  assert.deepEqual(await result, { output: 1 });
  send('c1');
  assert.deepEqual(heard, [0.5]);
  bridge.cancel('c1');
  assert.deepEqual(JSON.parse(JSON.stringify(invoked)), [
    {
      channel: 'afterimage:call',
      message: { kind: 'call', callId: 'c1', name: 'packs.install', input: { packId: 'p' } },
    },
    { channel: 'afterimage:call', message: { kind: 'cancel', callId: 'c1' } },
  ]);
});

test('events reach their listeners until they stop', () => {
  const { bridge, ipc } = load();
  const heard: unknown[] = [];
  const stop = bridge.on('library', (payload) => heard.push(payload));
  const send = (name: string): unknown =>
    ipc.emit('afterimage:message', {}, { kind: 'event', name, payload: name });
  send('library');
  send('roots');
  stop();
  send('library');
  assert.deepEqual(heard, ['library']);
});

test('the path of what was dropped goes to the main process and comes back as a grant', async () => {
  const { bridge, invoked, answer } = load();
  assert.equal(await bridge.grantDropped({}), null, 'a file made by the page has no path');
  assert.equal(invoked.length, 0);
  const grant = bridge.grantDropped({ path: '/photos' });
  answer('folder-1');
  assert.equal(await grant, 'folder-1');
});
