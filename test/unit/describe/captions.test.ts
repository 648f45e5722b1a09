/** Captions of single photos: what is kept, what is only shown, and who has the last word. */
import assert from 'node:assert/strict';
import { appendFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { describedLibrary, listening } from './described-library.ts';
import { until } from './manual-delays.ts';

const plain = { again: false } as const;

test('a caption is streamed, kept under the fingerprint, and made once', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  const heard: string[] = [];
  const made = await library.captions.make(
    { photoId, ...plain },
    { ...listening, onText: (text) => void heard.push(text) },
  );
  assert.equal(made.caption.text, 'words about photo 1.jpg');
  assert.deepEqual([made.cached, made.caption.by, made.caption.sure], [false, 'model', true]);
  assert.deepEqual(made.pack, { id: 'scripted', name: 'Scripted' });
  assert.equal(made.path, join(library.photos, 'photo 1.jpg'));
  assert.ok(heard.length > 1 && made.caption.text.startsWith(heard.at(-1) ?? '-'));
  assert.deepEqual(library.described, [photoId]);
  assert.equal((await library.captions.make({ photoId, ...plain }, listening)).cached, true);
  assert.equal(library.model.requests.length, 1);
  assert.equal(library.store.captions.get(photoId)?.text, made.caption.text);
  // The same pack with other files would say other words.
  library.model.fingerprint = 'b'.repeat(32);
  assert.equal((await library.captions.make({ photoId, ...plain }, listening)).cached, false);
});

test('what goes on from a prompt is shown and not kept', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  const made = await library.captions.make({ photoId, prompt: 'a photo of ', ...plain }, listening);
  assert.equal(made.caption.text, 'a photo of words about photo 1.jpg');
  assert.equal(library.store.captions.get(photoId), undefined);
  assert.deepEqual(library.described, []);
});

test('a caption by hand is what is shown, and what a model said before is there again without it', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  await library.captions.make({ photoId, ...plain }, listening);
  assert.equal(
    library.captions.set({ photoId, text: '  Grandma  at\nthe lake ' }).caption?.text,
    'Grandma at the lake',
  );
  const shown = await library.captions.make({ photoId, ...plain }, listening);
  assert.deepEqual([shown.caption.text, shown.caption.by, shown.pack], ['Grandma at the lake', 'hand', null]);
  assert.equal(library.model.requests.length, 1);
  assert.deepEqual(library.captions.of({ photoIds: [photoId, 999] }).captions, [
    { photoId, text: 'Grandma at the lake' },
  ]);
  assert.equal(library.captions.set({ photoId, text: '' }).caption?.by, 'model');
});

test('asked for again, a model replaces words by hand only with words of its own', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  library.captions.set({ photoId, text: 'mine' });
  library.model.write = () => ({ text: '', sure: false, confidence: 0.1 });
  const unsure = await library.captions.make({ photoId, again: true }, listening);
  assert.deepEqual([unsure.caption.text, unsure.caption.sure], ['', false]);
  assert.equal(library.store.captions.get(photoId)?.text, 'mine');
  library.model.write = () => ({ text: 'a lake' });
  await library.captions.make({ photoId, again: true }, listening);
  assert.equal(library.store.captions.get(photoId)?.text, 'a lake');
});

test('an unsure model has no words to show, and they are not asked for a second time', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  library.model.write = () => ({ text: '', sure: false, confidence: 0.2 });
  await library.captions.make({ photoId, ...plain }, listening);
  const again = await library.captions.make({ photoId, ...plain }, listening);
  assert.deepEqual([again.cached, again.caption.sure, again.caption.confidence], [true, false, 0.2]);
  assert.deepEqual(library.captions.of({ photoIds: [photoId] }).captions, []);
});

test('errors name the photo that is gone, vanished or cannot be decoded', async (t) => {
  const library = describedLibrary(t, 2);
  const [photoId = 0, other = 0] = library.ids;
  await assert.rejects(library.captions.make({ photoId: 999, ...plain }, listening), { code: 'not-found' });
  assert.throws(() => library.captions.set({ photoId: 999, text: 'x' }), { code: 'not-found' });
  library.model.write = ({ name }) => {
    throw new AppError('image-broken', `${name} is damaged.`);
  };
  await assert.rejects(library.captions.make({ photoId, ...plain }, listening), {
    code: 'image-broken',
    message: 'photo 1.jpg is damaged.',
  });
  rmSync(join(library.photos, 'photo 2.jpg'));
  await assert.rejects(library.captions.make({ photoId: other, ...plain }, listening), {
    code: 'file-vanished',
  });
  rmSync(library.photos, { recursive: true });
  await assert.rejects(library.captions.make({ photoId, ...plain }, listening), { code: 'root-offline' });
});

test('a caption that is kept is shown while its drive is away', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  await library.captions.make({ photoId, ...plain }, listening);
  rmSync(library.photos, { recursive: true });
  assert.equal((await library.captions.make({ photoId, ...plain }, listening)).cached, true);
});

test('words about bytes that have changed since are shown and not kept', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  library.model.write = ({ name }) => {
    appendFileSync(join(library.photos, name), 'edited');
    return { text: 'a dog' };
  };
  assert.equal((await library.captions.make({ photoId, ...plain }, listening)).caption.text, 'a dog');
  assert.equal(library.store.captions.get(photoId), undefined);
});

test('a cancel ends the request and keeps nothing', async (t) => {
  const library = describedLibrary(t, 1);
  const [photoId = 0] = library.ids;
  library.model.hold = new Promise(() => undefined);
  const controller = new AbortController();
  const making = library.captions.make({ photoId, ...plain }, { ...listening, signal: controller.signal });
  await until('it is in work', () => library.model.requests.length === 1);
  controller.abort();
  await assert.rejects(making, { code: 'cancelled' });
  assert.equal(library.store.captions.get(photoId), undefined);
});
