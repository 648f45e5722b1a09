/** What the tests of language packs share: a folder of made-up packs, a photo, a decoder and counted processes. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import sharp from 'sharp';
import { AppError, type ErrorCode } from '../../../../main/errors.ts';
import { createDecoder } from '../../../../main/engine/inference/decoder.ts';
import {
  loadLanguageModel,
  type LoadLanguageModelOptions,
} from '../../../../main/engine/inference/language/language-model.ts';
import type { LanguageModel } from '../../../../main/engine/inference/language/types.ts';
import { createNodeSpawner } from '../../../../main/engine/inference/node-spawner.ts';
import type { Decoder } from '../../../../main/engine/inference/types.ts';
import { silentLog } from '../../../../main/engine/log.ts';
import { languagePack, readPack } from '../../../../main/engine/packs/pack.ts';
import type { LanguagePack } from '../../../../main/engine/packs/types.ts';
import { makeLanguagePack, type MakeLanguagePackOptions } from '../../../fixtures/make-language-pack.ts';
import { countedSpawner, type CountedSpawner } from './counted-spawner.ts';

export const starter = join(import.meta.dirname, '../../../../models/starter');
export const packs = { get: () => readPack(starter) };

interface Harness {
  readonly dir: string;
  readonly decoder: Decoder;
  readonly picture: { readonly path: string };
  readonly made: (name: string, options: Partial<MakeLanguagePackOptions>) => Promise<LanguagePack>;
  readonly load: (
    context: TestContext,
    pack: LanguagePack,
    options?: Partial<LoadLanguageModelOptions>,
  ) => Promise<{ model: LanguageModel; workers: CountedSpawner }>;
}

/** Called once in a file; what it makes is taken away after the file's tests. */
export async function languageHarness(): Promise<Harness> {
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-language-'));
  const decoder = createDecoder({
    spawn: createNodeSpawner({ log: silentLog }),
    log: silentLog,
    concurrency: 1,
  });
  after(async () => {
    await decoder.close();
    await rm(dir, { recursive: true });
  });
  const picture = { path: join(dir, 'photo.png') };
  await sharp({ create: { width: 90, height: 60, channels: 3, background: '#3060a0' } }).toFile(picture.path);
  return {
    dir,
    decoder,
    picture,
    async made(name, options) {
      const folder = await makeLanguagePack({ dir: join(dir, name), family: 'vilt', seed: 5, ...options });
      return languagePack(await readPack(folder));
    },
    async load(context, pack, options = {}) {
      const workers = countedSpawner();
      const model = await loadLanguageModel({
        pack,
        packs,
        decoder,
        spawn: workers.spawn,
        log: silentLog,
        threads: 1,
        ...options,
      });
      context.after(() => model.close());
      return { model, workers };
    },
  };
}

export const code =
  (wanted: ErrorCode, pattern = /./) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof AppError, String(thrown));
    assert.equal(thrown.code, wanted, thrown.message);
    assert.match(thrown.message, pattern);
    return true;
  };
