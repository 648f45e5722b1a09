/** A small real place for the contract suite: photos on disk, one of them broken, and two random-weight packs. */
import { copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { openStore } from '../../main/engine/store/store.ts';
import { makeLanguagePack } from '../fixtures/make-language-pack.ts';
import { makePack } from '../fixtures/make-pack.ts';

export interface SmallLibrary {
  /** The library: nothing in it but the setting that models run on the CPU. */
  readonly directory: string;
  /**
   * manifest.json and the packs "starter" and "other", which search, "starter-captioner" and "starter-answerer", which
   * are always sure, "doubter", which answers and never is, and "talker", which captions without end.
   */
  readonly modelsDirectory: string;
  /** A folder of `photoCount` photos, two of them the same, and one broken file. */
  readonly photos: string;
  /** A folder of two captioned photos, with a captions.txt whose third line names one that is not there. */
  readonly captions: string;
  /** A pack in the Hugging Face layout without pack.json. */
  readonly loosePack: string;
  remove(): Promise<void>;
}

export const photoCount = 10;

export async function makeSmallLibrary(): Promise<SmallLibrary> {
  const top = await realpath(await mkdtemp(join(tmpdir(), 'afterimage-contract-')));
  const photos = join(top, 'photos');
  const modelsDirectory = join(top, 'models');
  const loosePack = join(top, 'loose');
  const captions = join(top, 'captions');
  await mkdir(captions);
  await mkdir(join(photos, 'Summer 2019'), { recursive: true });
  for (let i = 0; i < photoCount - 1; i++) {
    const folder = i % 3 === 0 ? join(photos, 'Summer 2019') : photos;
    const [red, green, blue] = [(i * 53) % 256, (i * 101) % 256, (i * 197) % 256];
    const image = sharp({
      create: { width: 64 + 16 * i, height: 64, channels: 3, background: { r: red, g: green, b: blue } },
    });
    const exif = { IFD2: { DateTimeOriginal: `20${10 + i}:05:03 12:00:00` }, IFD0: { Model: 'Testcam 3' } };
    if (i === 1) await image.png().toFile(join(folder, `photo ${i}.png`));
    else
      await image
        .jpeg()
        .withExif(exif)
        .toFile(join(folder, `photo ${i}.jpg`));
  }
  await copyFile(join(photos, 'photo 2.jpg'), join(photos, 'photo 2 copy.jpg'));
  for (const name of ['photo 4.jpg', 'photo 5.jpg']) await copyFile(join(photos, name), join(captions, name));
  await writeFile(
    join(captions, 'captions.txt'),
    'image,caption\nphoto 4.jpg,a wall\nnowhere.jpg,a ghost\nphoto 5.jpg,another wall\n',
  );
  await writeFile(join(photos, 'broken.jpg'), Buffer.from('ffd8ffe000104a464946000101', 'hex'));
  await makePack({
    dir: join(modelsDirectory, 'starter'),
    family: 'clip',
    shape: 'tiny',
    seed: 1,
    id: 'starter',
  });
  await makePack({
    dir: join(modelsDirectory, 'other'),
    family: 'siglip2',
    shape: 'tiny',
    seed: 2,
    id: 'other',
  });
  await makeLanguagePacks(modelsDirectory);
  await makePack({ dir: loosePack, family: 'clip', shape: 'tiny', seed: 3, packJson: false });
  await writeFile(
    join(modelsDirectory, 'manifest.json'),
    JSON.stringify({ schema: 1, origin: 'https://localhost', hosts: ['localhost'], packs: [] }),
  );
  // Trying graphics cards takes seconds each time a pack is loaded, and is another test's business.
  const directory = join(top, 'library');
  const store = openStore({ directory, now: () => Date.now() });
  store.settings.set('app', { provider: 'cpu' });
  store.close();
  return {
    directory,
    modelsDirectory,
    photos,
    captions,
    loosePack,
    remove: () => rm(top, { recursive: true, force: true, maxRetries: 5 }),
  };
}

const sure = { slope: 0, intercept: 3, notSureBelow: 0.5 };
const unsure = { slope: 0, intercept: -3, notSureBelow: 0.5 };

/** Random words: six of them from the captioner, hundreds from the talker, so that there is time to stop it. */
async function makeLanguagePacks(modelsDirectory: string): Promise<void> {
  const make = (id: string, options: Omit<Parameters<typeof makeLanguagePack>[0], 'dir'>): Promise<string> =>
    makeLanguagePack({ dir: join(modelsDirectory, id), id, ...options });
  await make('starter-captioner', {
    family: 'blip-caption',
    seed: 11,
    confidence: sure,
    endless: true,
    generation: { maxNewTokens: 6 },
  });
  await make('starter-answerer', { family: 'vilt', seed: 12, confidence: sure });
  await make('doubter', { family: 'vilt', seed: 13, confidence: unsure });
  await make('talker', {
    family: 'blip-caption',
    seed: 14,
    confidence: sure,
    endless: true,
    size: 'small',
    generation: { maxNewTokens: 480 },
  });
}
