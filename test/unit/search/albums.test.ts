/** Albums over a real store, index and search: put in by hand, and kept up to date by a query. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Album, SmartQuery } from '../../../main/contract.ts';
import { silentLog } from '../../../main/engine/log.ts';
import type { Albums, AlbumsOptions } from '../../../main/engine/search/albums-types.ts';
import { createAlbums } from '../../../main/engine/search/albums.ts';
import { AppError, type ErrorCode } from '../../../main/errors.ts';
import { manualDelays } from '../describe/manual-delays.ts';
import { madeLibrary, type MadeLibrary } from './made-library.ts';

interface AlbumLibrary extends MadeLibrary {
  readonly albums: Albums;
  /** Queries asked, in order. */
  readonly asked: string[];
  readonly members: number[];
  readonly open: (changes?: Partial<AlbumsOptions>) => Albums;
}

async function withAlbums(t: TestContext): Promise<AlbumLibrary> {
  const made = await madeLibrary(t, ['dog', 'snow', 'beach']);
  const asked: string[] = [];
  const members: number[] = [];
  const open = (changes: Partial<AlbumsOptions> = {}): Albums =>
    createAlbums({
      store: made.store,
      log: silentLog,
      timers: manualDelays(),
      now: () => Date.UTC(2024, 0, 1),
      find: (query, signal) => {
        asked.push(query.text);
        return made.search.ids(query, signal);
      },
      parse: (text) => made.search.parse({ text }).chips,
      background: false,
      onAlbums: () => undefined,
      onMembers: (photoIds) => members.push(...photoIds),
      ...changes,
    });
  const albums = open();
  t.after(() => albums.close());
  return { ...made, albums, asked, members, open };
}

const smart = (text: string, more: Partial<SmartQuery> = {}): SmartQuery => ({
  text,
  examples: [],
  band: 'likely',
  ...more,
});
const refuses = (work: Promise<unknown>, code: ErrorCode): Promise<void> =>
  assert.rejects(work, (error: AppError) => error.code === code && error.message.length > 20);
const asSet = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);

test('a plain album holds what was put in, newest first, until it is taken out', async (t) => {
  const { add, albums, members } = await withAlbums(t);
  const [first = 0, second = 0, third = 0] = add([], 3);
  const album = await albums.create({ name: ' Our   house ', photoIds: [first, second, first] });
  assert.deepEqual([album.name, album.kind, album.photos, album.query], ['Our house', 'plain', 2, null]);
  assert.deepEqual(await albums.photos(album.id), [second, first]);
  assert.equal(albums.add(album.id, [third]).photos, 3);
  assert.equal(albums.take(album.id, [second]).photos, 2);
  assert.deepEqual(await albums.photos(album.id), [third, first]);
  assert.ok([first, second, third].every((id) => members.includes(id)));
  albums.remove(album.id);
  assert.deepEqual(await albums.list(), []);
  assert.throws(
    () => albums.add(album.id, [first]),
    (error: AppError) => error.code === 'not-found',
  );
  await refuses(albums.photos(album.id), 'not-found');
});

test('names are tidy and each is there once', async (t) => {
  const { add, albums } = await withAlbums(t);
  const [photo = 0] = add([], 1);
  const { id } = await albums.create({ name: 'Été', photoIds: [photo] });
  await refuses(albums.create({ name: ' été', photoIds: [photo] }), 'input-invalid');
  await refuses(albums.create({ name: '  ', photoIds: [photo] }), 'input-invalid');
  const other = await albums.create({ name: 'Winter', photoIds: [] });
  await refuses(albums.update({ albumId: other.id, name: 'ÉTÉ' }), 'input-invalid');
  assert.equal((await albums.update({ albumId: id, name: 'été' })).name, 'été');
});

test('photos that are gone are left out, and if none is left that is said', async (t) => {
  const { add, albums, store } = await withAlbums(t);
  const [gone = 0, here = 0] = add([], 2);
  store.photos.remove([gone]);
  assert.equal((await albums.create({ name: 'a', photoIds: [gone, here] })).photos, 1);
  await refuses(albums.create({ name: 'b', photoIds: [gone] }), 'not-found');
  assert.equal((await albums.list()).length, 1);
});

test('the cover is the one chosen while it is in the album, else the best or the newest', async (t) => {
  const { add, albums } = await withAlbums(t);
  add([], 60);
  const [one = 0, two = 0] = add([], 2);
  const album = await albums.create({ name: 'plain', photoIds: [one, two] });
  assert.equal(album.cover, two);
  assert.equal((await albums.update({ albumId: album.id, cover: one })).cover, one);
  assert.equal(albums.take(album.id, [one]).cover, two);
  await refuses(albums.update({ albumId: album.id, cover: one }), 'input-invalid');
  assert.equal((await albums.create({ name: 'empty', photoIds: [] })).cover, null);
  add(['dog'], 6, { strength: 0.5 });
  const [clear = 0] = add(['dog'], 1, { strength: 3 });
  add(['dog'], 6, { strength: 0.5 });
  assert.equal((await albums.create({ name: 'dogs', query: smart('dog') })).cover, clear);
});

test('a smart album holds what its query finds, and follows the library', async (t) => {
  const { add, albums, store, index, members } = await withAlbums(t);
  add([], 100);
  const dogs = add(['dog'], 12);
  const album = await albums.create({ name: 'Dogs', query: smart('dog') });
  assert.equal(album.kind, 'smart');
  assert.ok(album.photos >= 10 && (await albums.photos(album.id)).every((id) => dogs.includes(id)));
  members.length = 0;
  const more = add(['dog'], 4);
  albums.changed();
  await albums.settled();
  const after = await albums.photos(album.id);
  assert.ok(more.filter((id) => after.includes(id)).length >= 3);
  assert.ok(members.length > 0 && members.every((id) => more.includes(id) || !after.includes(id)));
  const [gone = 0] = more;
  const generation = store.embeddings.generation() + 1;
  store.photos.remove([gone]);
  index.remove([gone], generation);
  albums.changed();
  assert.ok(!(await albums.photos(album.id)).includes(gone));
});

test('negatives, filters, examples and the band all count', async (t) => {
  const { add, albums } = await withAlbums(t);
  add([], 100);
  const dogs = add(['dog'], 12);
  const winter = add(['dog', 'snow'], 8, { name: ' winter' });
  const without = await albums.create({ name: 'a', query: smart('dog -snow') });
  assert.ok((await albums.photos(without.id)).every((id) => dogs.includes(id)));
  const named = await albums.create({ name: 'b', query: smart('in:winter') });
  assert.deepEqual(asSet(await albums.photos(named.id)), asSet(winter));
  const [example = 0] = dogs;
  const like = await albums.create({
    name: 'c',
    query: smart('', { examples: [{ photoId: example, weight: 1 }] }),
  });
  assert.ok(like.photos > 5);
  const strong = await albums.create({ name: 'd', query: smart('dog', { band: 'strong' }) });
  const likely = await albums.create({ name: 'e', query: smart('dog') });
  assert.ok(strong.photos <= likely.photos);
});

test('what is put in or taken out by hand stays so, whatever the query finds', async (t) => {
  const { add, albums } = await withAlbums(t);
  const [plain = 0] = add([], 100);
  add(['dog'], 12);
  const album = await albums.create({ name: 'Dogs', query: smart('dog') });
  const [taken = 0] = await albums.photos(album.id);
  albums.add(album.id, [plain]);
  albums.take(album.id, [taken]);
  const isSo = async (): Promise<void> => {
    const ids = await albums.photos(album.id);
    assert.ok(ids.includes(plain) && !ids.includes(taken));
  };
  await isSo();
  add(['dog'], 2);
  albums.changed();
  await isSo();
  await albums.update({ albumId: album.id, query: smart('dog', { band: 'strong' }) });
  await isSo();
});

test('an album whose query cannot be asked keeps its photos, says why, and recovers', async (t) => {
  const { add, albums, store, index, open } = await withAlbums(t);
  add([], 100);
  const dogs = add(['dog'], 12);
  const [example = 0] = dogs;
  const { id, photos } = await albums.create({
    name: 'Like her',
    query: smart('', { examples: [{ photoId: example, weight: 1 }] }),
  });
  assert.ok(photos > 0);
  store.photos.remove([example]);
  index.remove([example], store.embeddings.generation());
  albums.changed();
  const [broken] = await albums.list();
  assert.ok(broken !== undefined && broken.photos >= photos - 1);
  assert.equal(broken.problem?.code, 'not-found');
  const [told] = await open().list();
  assert.equal(told?.problem?.code, 'not-found');
  const mended = await albums.update({ albumId: id, query: smart('dog') });
  assert.equal(mended.problem, null);
  const [listed] = await albums.list();
  assert.equal(listed?.problem, null);
});

test('a pack that cannot be loaded now is tried again later, even if nothing else changed', async (t) => {
  const made = await withAlbums(t);
  made.add([], 60);
  made.add(['dog'], 6);
  const { photos } = await made.albums.create({ name: 'Dogs', query: smart('dog') });
  made.add([], 1);
  const blind = made.open({
    find: () => Promise.reject(new AppError('pack-missing', 'It is not installed.')),
  });
  const [broken] = await blind.list();
  assert.deepEqual([broken?.problem?.code, broken?.photos], ['pack-missing', photos]);
  const [again] = await made.open().list();
  assert.equal(again?.problem, null);
});

test('nothing is asked again while the library is as it was', async (t) => {
  const { add, albums, asked, open } = await withAlbums(t);
  add([], 60);
  add(['dog'], 6);
  await albums.create({ name: 'Dogs', query: smart('dog') });
  await albums.list();
  asked.length = 0;
  await albums.list();
  await open().list();
  assert.deepEqual(asked, []);
});

test('an album may be named in the query of another', async (t) => {
  const { add, albums } = await withAlbums(t);
  add([], 60);
  const dogs = add(['dog'], 8);
  const plain = await albums.create({ name: 'Trip', photoIds: dogs.slice(0, 2) });
  const { id } = await albums.create({ name: 'Of the trip', query: smart('album:trip') });
  assert.deepEqual(asSet(await albums.photos(id)), dogs.slice(0, 2));
  albums.add(plain.id, dogs.slice(2, 3));
  assert.deepEqual(asSet(await albums.photos(id)), dogs.slice(0, 3));
  albums.remove(plain.id);
  const [left] = await albums.list();
  assert.deepEqual([left?.problem?.code, left?.photos], ['input-invalid', 3]);
});

test('a query that says nothing, or names what will be gone, makes no album', async (t) => {
  const { add, albums } = await withAlbums(t);
  const [photo = 0] = add([], 1);
  await refuses(albums.create({ name: 'a', query: smart('  ') }), 'input-invalid');
  await refuses(albums.create({ name: 'a', query: smart('dog after:someday') }), 'input-invalid');
  await refuses(
    albums.create({ name: 'a', query: smart('', { examples: [{ exampleId: 'dropped', weight: 1 }] }) }),
    'input-invalid',
  );
  await refuses(
    albums.create({ name: 'a', query: smart('', { examples: [{ photoId: 777, weight: 1 }] }) }),
    'not-found',
  );
  const plain = await albums.create({ name: 'b', photoIds: [photo] });
  await refuses(albums.update({ albumId: plain.id, query: smart('dog') }), 'input-invalid');
  assert.deepEqual(
    (await albums.list()).map(({ name }) => name),
    ['b'],
  );
});

test('in the background many changes cost one question, and clients are told', async (t) => {
  const made = await withAlbums(t);
  made.add([], 60);
  made.add(['dog'], 6);
  const timers = manualDelays();
  const lists: Album[][] = [];
  const albums = made.open({
    timers,
    background: true,
    onAlbums: () => lists.push(albums.current()),
  });
  await albums.create({ name: 'Dogs', query: smart('dog') });
  timers.turn();
  await albums.settled();
  made.asked.length = 0;
  lists.length = 0;
  const [before] = albums.current();
  made.add(['dog'], 5);
  for (let i = 0; i < 10; i++) albums.changed();
  assert.equal(timers.waiting, 1);
  assert.equal((await albums.list())[0]?.photos, before?.photos, 'a window is answered at once');
  timers.turn();
  await albums.settled();
  assert.deepEqual(made.asked, ['dog']);
  assert.ok((lists.at(-1)?.[0]?.photos ?? 0) > (before?.photos ?? 0));
  await albums.close();
});
