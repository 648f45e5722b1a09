/** A temp folder with a granted root, a few tiny pictures in it, and a secret beside it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { FakeEngine } from './fake-engine.ts';

export interface PhotoFolder {
  readonly engine: FakeEngine;
  readonly top: string;
  readonly root: string;
  readonly jpeg: Buffer;
  readonly secret: string;
  /** Writes a file into the root and makes it a photo of the engine. */
  addPhoto(id: number, name: string, bytes: Uint8Array, mime: string): string;
  remove(): void;
}

export async function makePhotoFolder(): Promise<PhotoFolder> {
  const top = realpathSync(mkdtempSync(join(tmpdir(), 'afterimage-shell-')));
  const root = join(top, 'photos');
  mkdirSync(root);
  const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: '#4080c0' } });
  const jpeg = await picture.clone().jpeg().toBuffer();
  const secret = join(top, 'secret.jpg');
  writeFileSync(secret, jpeg);
  const engine = new FakeEngine();
  const addPhoto = (id: number, name: string, bytes: Uint8Array, mime: string): string => {
    const path = join(root, name);
    writeFileSync(path, bytes);
    engine.photos.set(id, { path, rootPath: root, mime });
    return path;
  };
  addPhoto(1, 'sea.jpg', jpeg, 'image/jpeg');
  engine.thumbnails.set(1, await picture.clone().webp().toBuffer());
  addPhoto(2, 'scan.tif', await picture.clone().tiff().toBuffer(), 'image/tiff');
  return {
    engine,
    top,
    root,
    jpeg,
    secret,
    addPhoto,
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}
