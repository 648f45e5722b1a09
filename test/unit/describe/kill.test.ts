/** Pulls the plug in the midst of a caption run: what was written is there whole, and the next run does the rest. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { openStore } from '../../../main/engine/store/store.ts';
import { describedLibrary } from './described-library.ts';

const entry = fileURLToPath(new URL('captioning-process.ts', import.meta.url));

/** @param lines after which it is killed; Infinity lets it end. @returns the photos it said were done. */
function caption(directory: string, lines: number): Promise<{ done: number[]; signal: string | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      if (output.split('\n').length > lines) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      const whole = output
        .slice(0, output.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1);
      resolve({ done: whole.map(Number), signal });
    });
  });
}

test('three kills in the midst of a run lose nothing and tear nothing', async (t) => {
  const count = 60;
  const library = describedLibrary(t, count);
  const { directory, ids } = library;
  const fingerprint = library.model.fingerprint;
  await library.runs.close();
  library.store.close();
  const done = new Set<number>();
  for (const lines of [1, 7, 12]) {
    const { done: more, signal } = await caption(directory, lines);
    assert.equal(signal, 'SIGKILL');
    for (const id of more) {
      assert.equal(done.has(id), false, `photo ${id} was captioned twice`);
      done.add(id);
    }
    const store = openStore({ directory, now: Date.now });
    for (const id of ids) {
      const row = store.captions.ofModel(id, fingerprint);
      if (done.has(id)) assert.ok(row !== undefined, `the caption of photo ${id} was lost`);
      if (row === undefined) continue;
      assert.equal(row.text, `words about ${store.photos.get(id)?.relPath ?? ''}`);
      assert.ok(store.words.of(id)?.caption.includes('words about'), 'its words can be found');
      // Written, and killed before it could say so.
      done.add(id);
    }
    store.close();
  }
  const { done: rest, signal } = await caption(directory, Infinity);
  assert.equal(signal, null);
  assert.equal(rest.length, count - done.size);
});
