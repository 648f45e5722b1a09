import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import test, { after, before } from 'node:test';
import { photoReply } from '../../../main/shell/photo-response.ts';
import type { Reply } from '../../../main/shell/reply.ts';
import { makePhotoFolder, type PhotoFolder } from './photo-folder.ts';

let folder: PhotoFolder;
before(async () => {
  folder = await makePhotoFolder();
});
after(() => folder.remove());

const ask = (
  id: number | string,
  kind: string,
  headers: Partial<Parameters<typeof photoReply>[3]> = {},
): Promise<Reply> => photoReply(folder.engine, String(id), kind, { method: 'GET', ...headers });

async function bytesOf(reply: Reply): Promise<Buffer> {
  if (reply.body === null) return Buffer.alloc(0);
  return reply.body instanceof Readable ? buffer(reply.body) : Buffer.from(reply.body);
}

async function codeOf(reply: Reply): Promise<string> {
  return (JSON.parse((await bytesOf(reply)).toString()) as { error: { code: string } }).error.code;
}

test('a JPEG is served as its own bytes', async () => {
  const reply = await ask(1, 'full');
  assert.equal(reply.status, 200);
  assert.equal(reply.headers['Content-Type'], 'image/jpeg');
  assert.equal(reply.headers['X-Content-Type-Options'], 'nosniff');
  assert.match(reply.headers['Cache-Control'] ?? '', /^private/);
  assert.deepEqual(await bytesOf(reply), folder.jpeg);
});

test('a thumbnail is WebP and is not sent again while it is the same', async () => {
  const reply = await ask(1, 'thumb');
  assert.equal(reply.headers['Content-Type'], 'image/webp');
  assert.equal((await bytesOf(reply)).subarray(8, 12).toString(), 'WEBP');
  const again = await ask(1, 'thumb', { ifNoneMatch: reply.headers['ETag'] });
  assert.equal(again.status, 304);
  assert.equal(again.body, null);
});

test('a TIFF is shown as JPEG that the engine made, and downloads as itself', async () => {
  const shown = await ask(2, 'full');
  assert.equal(shown.headers['Content-Type'], 'image/jpeg');
  assert.equal(folder.engine.displayed, 1);
  const again = await ask(2, 'full', { ifNoneMatch: shown.headers['ETag'] });
  assert.equal(again.status, 304);
  assert.equal(folder.engine.displayed, 1, 'nothing is decoded for a picture that the page has');
  const original = await ask(2, 'original');
  assert.equal(original.headers['Content-Type'], 'image/tiff');
  assert.match(original.headers['Content-Disposition'] ?? '', /^attachment; filename="scan.tif"/);
  await bytesOf(original);
});

test('a changed file has another tag', async () => {
  const path = folder.addPhoto(20, 'edited.jpg', folder.jpeg, 'image/jpeg');
  const first = await ask(20, 'full', { method: 'HEAD' });
  utimesSync(path, 1_000_000, 1_000_000);
  const second = await ask(20, 'full', { method: 'HEAD', ifNoneMatch: first.headers['ETag'] });
  assert.equal(second.status, 200);
  assert.notEqual(first.headers['ETag'], second.headers['ETag']);
});

test('a range is answered with just those bytes', async () => {
  const part = await ask(1, 'full', { range: 'bytes=2-5' });
  assert.equal(part.status, 206);
  assert.equal(part.headers['Content-Range'], `bytes 2-5/${folder.jpeg.length}`);
  assert.deepEqual(await bytesOf(part), folder.jpeg.subarray(2, 6));
  const tail = await ask(1, 'full', { range: 'bytes=-3' });
  assert.deepEqual(await bytesOf(tail), folder.jpeg.subarray(-3));
  const beyond = await ask(1, 'full', { range: `bytes=${folder.jpeg.length}-` });
  assert.equal(beyond.status, 416);
  assert.equal(beyond.headers['Content-Range'], `bytes */${folder.jpeg.length}`);
  const stale = await ask(1, 'full', { range: 'bytes=2-5', ifRange: '"another"' });
  assert.equal(stale.status, 200);
  await bytesOf(stale);
});

test('HEAD tells the length and sends nothing', async () => {
  const reply = await ask(1, 'full', { method: 'HEAD' });
  assert.equal(reply.headers['Content-Length'], String(folder.jpeg.length));
  assert.equal(reply.body, null);
});

test('only GET and HEAD are answered', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
    const reply = await ask(1, 'full', { method });
    assert.equal(reply.status, 405);
    assert.equal(reply.headers['Allow'], 'GET, HEAD');
  }
});

test('only plain ids and known kinds name anything', async () => {
  for (const id of ['01', '-1', '1.0', '1e0', ' 1', '../1', '%31', '', '1234567890123456'])
    assert.equal((await ask(id, 'full')).status, 404, id);
  assert.equal((await ask(1, 'secret')).status, 404);
  assert.equal((await ask(999, 'full')).status, 404);
});

test('a photo that became a link out of its root is not served', async () => {
  const path = folder.addPhoto(3, 'swapped.jpg', folder.jpeg, 'image/jpeg');
  rmSync(path);
  symlinkSync(folder.secret, path);
  const reply = await ask(3, 'full');
  assert.equal(reply.status, 404);
  assert.equal(await codeOf(reply), 'not-found');
});

test('a folder that became a link out of the root serves nothing', async () => {
  const inside = join(folder.root, 'album');
  mkdirSync(inside);
  const path = folder.addPhoto(4, join('album', 'a.jpg'), folder.jpeg, 'image/jpeg');
  const outside = join(folder.top, 'elsewhere');
  renameSync(inside, outside);
  symlinkSync(outside, inside);
  assert.equal((await ask(4, 'full')).status, 404, path);
});

test('a path that climbs out of its root is not served', async () => {
  folder.engine.photos.set(5, { path: folder.secret, rootPath: folder.root, mime: 'image/jpeg' });
  assert.equal((await ask(5, 'full')).status, 404);
  folder.engine.photos.set(5, {
    path: join(folder.root, '..', 'secret.jpg'),
    rootPath: folder.root,
    mime: 'image/jpeg',
  });
  assert.equal((await ask(5, 'full')).status, 404);
});

test('a root whose name begins like another is not that other', async () => {
  const twin = `${folder.root}-private`;
  mkdirSync(twin);
  writeFileSync(join(twin, 'a.jpg'), folder.jpeg);
  folder.engine.photos.set(6, { path: join(twin, 'a.jpg'), rootPath: folder.root, mime: 'image/jpeg' });
  assert.equal((await ask(6, 'full')).status, 404);
});

test('a file that is no picture is not served whatever the library says of it', async () => {
  folder.addPhoto(7, 'page.jpg', Buffer.from('<html><script>alert(1)</script>'), 'image/jpeg');
  folder.addPhoto(
    8,
    'drawing.svg',
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    'image/svg+xml',
  );
  folder.addPhoto(9, 'fake.bmp', Buffer.from('  <script>'), 'image/bmp');
  for (const id of [7, 8, 9]) {
    const reply = await ask(id, 'original');
    assert.equal(reply.status, 400);
    assert.equal(await codeOf(reply), 'image-unsupported');
  }
});

test('a pipe in place of a photo is refused at once', { skip: process.platform === 'win32' }, async () => {
  const path = folder.addPhoto(10, 'pipe.jpg', folder.jpeg, 'image/jpeg');
  rmSync(path);
  execFileSync('sh', ['-c', 'mkfifo "$0"', path]);
  assert.equal((await ask(10, 'full')).status, 404);
});

test('a photo whose drive is away says so with a code', async () => {
  folder.engine.photos.set(11, {
    path: join(folder.top, 'drive', 'a.jpg'),
    rootPath: join(folder.top, 'drive'),
    mime: 'image/jpeg',
  });
  const reply = await ask(11, 'full');
  assert.equal(reply.status, 404);
  assert.equal(await codeOf(reply), 'root-offline');
});

test('a photo that vanished says so with a code', async () => {
  rmSync(folder.addPhoto(12, 'gone.jpg', folder.jpeg, 'image/jpeg'));
  const reply = await ask(12, 'full');
  assert.equal(reply.status, 404);
  assert.equal(await codeOf(reply), 'file-vanished');
});

test('a name outside ASCII survives the download header', async () => {
  folder.addPhoto(13, '海 "a".jpg', folder.jpeg, 'image/jpeg');
  const reply = await ask(13, 'original', { method: 'HEAD' });
  assert.equal(
    reply.headers['Content-Disposition'],
    `attachment; filename="_ _a_.jpg"; filename*=UTF-8''%E6%B5%B7%20%22a%22.jpg`,
  );
});
