/** Tags and albums as every adapter must offer them. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { photoCount } from './small-library.ts';
import type { SuiteTools } from './suite.ts';

export function gatheringCalls(tools: SuiteTools): void {
  const { call, refused, firstId } = tools;
  /** Resolves with the first event of this name that `is` what is waited for. */
  const eventOf = (name: 'tags' | 'albums', is: (names: readonly string[]) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const stop = tools.adapter.client.on(name, (payload) => {
        const list: readonly { name: string }[] = 'tags' in payload ? payload.tags : payload.albums;
        if (!is(list.map((each) => each.name))) return;
        stop();
        resolve();
      });
    });

  test('a library has tags, which a person changes', async () => {
    const { tags } = await call('tags.list', {});
    assert.ok(tags.length > 50);
    const told = eventOf('tags', (names) => names.includes('zeppelin'));
    const { tag } = await call('tags.set', { name: ' zeppelin ', prompts: ['a photo of a zeppelin'] });
    assert.deepEqual([tag.name, tag.prompts], ['zeppelin', ['a photo of a zeppelin']]);
    await told;
    const changed = await call('tags.set', { tagId: tag.id, name: 'airship' });
    assert.deepEqual([changed.tag.id, changed.tag.name, changed.tag.prompts], [tag.id, 'airship', []]);
    await refused(tools.adapter.client.call('tags.set', { name: 'Airship' }), 'input-invalid');
    await call('tags.remove', { tagId: tag.id });
    await refused(tools.adapter.client.call('tags.remove', { tagId: tag.id }), 'not-found');
    const dog = tags.find(({ name }) => name === 'dog');
    assert.ok(dog !== undefined);
    await call('tags.remove', { tagId: dog.id });
    const restored = await call('tags.restore', {});
    assert.deepEqual(
      restored.tags.map(({ name }) => name),
      tags.map(({ name }) => name),
    );
  });

  test('every tag has a probability for a photo, and those it carries are searched by name', async () => {
    const photoId = await firstId();
    const { path, tags } = await call('tags.ofPhoto', { photoId });
    const detail = await call('photos.get', { photoId });
    assert.equal(path, detail.path);
    assert.equal(tags.length, (await call('tags.list', {})).tags.length);
    assert.ok(tags.every(({ probability }) => probability >= 0 && probability <= 1));
    for (const carried of detail.tags)
      assert.ok(
        (await call('search.query', { text: `tag:"${carried.name}"` })).hits.some(({ id }) => id === photoId),
      );
    await refused(tools.adapter.client.call('tags.ofPhoto', { photoId: 999_999 }), 'not-found');
  });

  test('a plain album is filled and emptied by hand, and told of', async () => {
    const { ids } = await call('photos.timeline', {});
    const told = eventOf('albums', (names) => names.includes('Our house'));
    const { album } = await call('albums.create', { name: ' Our  house', photoIds: ids.slice(0, 2) });
    assert.deepEqual([album.name, album.kind, album.photos], ['Our house', 'plain', 2]);
    await told;
    const added = await call('albums.add', { albumId: album.id, photoIds: ids.slice(1, 4) });
    assert.equal(added.album.photos, 4);
    const taken = await call('albums.take', { albumId: album.id, photoIds: ids.slice(0, 1) });
    assert.equal(taken.album.photos, 3);
    const photos = await call('albums.photos', { albumId: album.id });
    assert.deepEqual(photos.ids, ids.slice(1, 4));
    assert.equal(photos.aspects.length, 3);
    assert.equal(
      photos.months.reduce((sum, { count }) => sum + count, 0),
      3,
    );
    const [, cover = 0] = photos.ids;
    assert.equal((await call('albums.update', { albumId: album.id, cover })).album.cover, cover);
    assert.deepEqual((await call('photos.get', { photoId: cover })).albums, [
      { id: album.id, name: 'Our house' },
    ]);
    assert.equal((await call('search.query', { text: 'album:"our house"' })).total, 3);
    await refused(
      tools.adapter.client.call('albums.create', { name: 'OUR HOUSE', photoIds: [] }),
      'input-invalid',
    );
    await call('albums.remove', { albumId: album.id });
    await refused(tools.adapter.client.call('albums.photos', { albumId: album.id }), 'not-found');
    assert.deepEqual((await call('photos.get', { photoId: cover })).albums, []);
  });

  test('a smart album holds what its query finds, whatever is put in or taken out by hand', async () => {
    const { album } = await call('albums.create', { name: 'Summer', query: { text: 'in:"summer 2019"' } });
    assert.deepEqual([album.kind, album.photos, album.problem], ['smart', 3, null]);
    const { ids } = await call('albums.photos', { albumId: album.id });
    const other = (await call('photos.timeline', {})).ids.find((id) => !ids.includes(id)) ?? 0;
    const [out = 0] = ids;
    await call('albums.add', { albumId: album.id, photoIds: [other] });
    await call('albums.take', { albumId: album.id, photoIds: [out] });
    const updated = await call('albums.update', {
      albumId: album.id,
      name: 'All',
      query: { text: 'after:2000', band: 'strong' },
    });
    assert.equal(updated.album.photos, photoCount - 1);
    const now = (await call('albums.photos', { albumId: album.id })).ids;
    assert.ok(now.includes(other) && !now.includes(out));
    assert.deepEqual(
      (await call('albums.list', {})).albums.map(({ name }) => name),
      ['All'],
    );
    await refused(
      tools.adapter.client.call('albums.create', {
        name: 'Like',
        query: { text: '', examples: [{ photoId: 999_999 }] },
      }),
      'not-found',
    );
    await refused(
      tools.adapter.client.call('albums.create', { name: 'None', query: { text: ' ' } }),
      'input-invalid',
    );
    await call('albums.remove', { albumId: album.id });
  });
}
