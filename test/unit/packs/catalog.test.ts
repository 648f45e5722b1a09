/** Lists, downloads, copies and removes packs over a loopback hub. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { AppError } from '../../../main/errors.ts';
import { silentLog } from '../../../main/engine/log.ts';
import { createCatalog, type Catalog } from '../../../main/engine/packs/catalog.ts';
import { manifestShape, readManifest } from '../../../main/engine/packs/manifest.ts';
import { readEmbedPack, verifyPack } from '../../../main/engine/packs/pack.ts';
import { makePack } from '../../fixtures/make-pack.ts';
import { startServer, type Behaviour, type TestServer } from './download-server.ts';

const names = [
  'config.json',
  'preprocessor_config.json',
  'tokenizer_config.json',
  'tokenizer.json',
  'onnx/vision_model.onnx',
  'onnx/text_model.onnx',
];
const revision = 'a'.repeat(40);

interface Hub {
  readonly catalog: Catalog;
  readonly server: TestServer;
  readonly installedDir: string;
  readonly sourceDir: string;
  readonly serve: (name: string, behaviour?: Behaviour) => Promise<void>;
}

/** A bundled pack, an empty library, and a hub that offers one more pack. */
async function setUp(context: TestContext): Promise<Hub> {
  const dir = await mkdtemp(join(tmpdir(), 'afterimage-catalog-'));
  const server = await startServer();
  context.after(async () => {
    await server.close();
    await rm(dir, { recursive: true });
  });
  const bundledDir = join(dir, 'models');
  const sourceDir = join(dir, 'hub');
  await makePack({ dir: join(bundledDir, 'starter'), family: 'clip', shape: 'tiny', seed: 1, id: 'starter' });
  await mkdir(join(bundledDir, 'train'));
  await makePack({ dir: sourceDir, family: 'clip', shape: 'tiny', seed: 2, packJson: false });
  const files: { path: string; bytes: number | null; sha256: string | null }[] = [];
  for (const path of names) {
    const body = await readFile(join(sourceDir, path));
    const known = path !== 'config.json';
    files.push({
      path,
      bytes: known ? body.byteLength : null,
      sha256: known ? createHash('sha256').update(body).digest('hex') : null,
    });
  }
  await writeFile(
    join(bundledDir, 'manifest.json'),
    JSON.stringify({
      schema: 1,
      origin: server.origin,
      hosts: ['huggingface.co'],
      packs: [
        {
          id: 'offered',
          name: 'Offered',
          description: 'A pack on offer.',
          recommended: true,
          repo: 'owner/offered',
          revision,
          files,
          pack: {
            family: 'clip',
            dims: 64,
            licence: { id: 'MIT', name: 'MIT License' },
            image: { file: 'onnx/vision_model.onnx', output: 'image_embeds' },
            text: {
              file: 'onnx/text_model.onnx',
              output: 'text_embeds',
              maxLength: 77,
              padding: 'longest',
              lowercase: false,
            },
            scoring: { kind: 'softmax', logitScale: 100, logitBias: 0 },
            promptTemplates: ['a photo of a {}.'],
            queryTemplates: ['{}'],
          },
        },
      ],
    }),
  );
  const installedDir = join(dir, 'packs');
  const catalog = createCatalog({
    bundledDir,
    installedDir,
    log: silentLog,
    download: { insecureHosts: [server.host], retryDelayMs: 1, retries: 1 },
  });
  const serve = async (name: string, behaviour: Behaviour = {}): Promise<void> => {
    const body = await readFile(join(sourceDir, name));
    const blob = createHash('sha1')
      .update(`blob ${String(body.byteLength)}\0`)
      .update(body)
      .digest('hex');
    server.serve(`/owner/offered/resolve/${revision}/${name}`, body, {
      ...(name === 'config.json' ? { etag: `"${blob}"` } : {}),
      ...behaviour,
    });
  };
  for (const name of names) await serve(name);
  return { catalog, server, installedDir, sourceDir, serve };
}

test('the list shows what ships and what is on offer', async (context) => {
  const { catalog } = await setUp(context);
  const entries = await catalog.list();
  assert.deepEqual(
    entries.map((entry) => (entry.installed ? entry.pack.id : `offer:${entry.offer.id}`)),
    ['starter', 'offer:offered'],
  );
});

test('an offered pack is downloaded, verified and ready to be read', async (context) => {
  const { catalog, installedDir } = await setUp(context);
  const stages = new Set<string>();
  let last = { done: 0, total: 0 };
  const pack = await catalog.install('offered', {
    onProgress: (progress) => {
      stages.add(progress.stage);
      last = progress;
    },
  });
  assert.equal(pack.source, 'owner/offered');
  assert.equal(last.done, last.total);
  assert.ok(stages.has('verify'));
  await verifyPack(await readEmbedPack(join(installedDir, 'offered')));
  assert.deepEqual(await readdir(installedDir), ['offered']);
  assert.equal((await catalog.list()).length, 2);
  // The checksum of the file that the manifest did not know is recorded now.
  assert.match(pack.files['config.json']?.sha256 ?? '', /^[0-9a-f]{64}$/);
});

test('an installation that failed is continued without fetching finished files again', async (context) => {
  const { catalog, server, serve, installedDir } = await setUp(context);
  await serve('onnx/text_model.onnx', { status: 500 });
  await assert.rejects(
    catalog.install('offered'),
    (thrown: unknown) => thrown instanceof AppError && thrown.code === 'download-failed',
  );
  assert.ok(!existsSync(join(installedDir, 'offered')));
  assert.equal((await catalog.list()).filter((entry) => entry.installed).length, 1);
  await serve('onnx/text_model.onnx');
  server.requests.length = 0;
  await catalog.install('offered');
  assert.ok(!server.requests.some(({ url }) => url.endsWith('vision_model.onnx')));
});

test('wrong bytes leave no pack behind', async (context) => {
  const { catalog, serve, installedDir, sourceDir } = await setUp(context);
  const body = await readFile(join(sourceDir, 'onnx/vision_model.onnx'));
  await serve('onnx/vision_model.onnx', { instead: Buffer.alloc(body.byteLength, 7) });
  await assert.rejects(
    catalog.install('offered'),
    (thrown: unknown) => thrown instanceof AppError && thrown.code === 'download-refused',
  );
  assert.ok(!existsSync(join(installedDir, 'offered')));
});

test('the same pack is not installed twice at once', async (context) => {
  const { catalog } = await setUp(context);
  const first = catalog.install('offered');
  await assert.rejects(
    catalog.install('offered'),
    (thrown: unknown) => thrown instanceof AppError && thrown.code === 'input-invalid',
  );
  await first;
});

test('a local folder is copied, described and not copied again', async (context) => {
  const { catalog, sourceDir, installedDir } = await setUp(context);
  const folder = join(sourceDir, '..', 'My CLIP (local)');
  await cp(sourceDir, folder, { recursive: true });
  const pack = await catalog.installFolder(folder);
  assert.equal(pack.id, 'my-clip-local');
  assert.ok(existsSync(join(installedDir, 'my-clip-local/pack.json')));
  await verifyPack(pack);
  const direct = await readEmbedPack(folder);
  assert.equal(pack.fingerprint, direct.fingerprint);
  assert.equal((await catalog.installFolder(folder)).id, 'my-clip-local');
  await catalog.remove('my-clip-local');
  assert.ok(!existsSync(join(installedDir, 'my-clip-local')));
  assert.ok(existsSync(folder));
});

test('a pack that ships cannot be removed, and an unknown one is not found', async (context) => {
  const { catalog } = await setUp(context);
  const code = (wanted: string) => (thrown: unknown) => thrown instanceof AppError && thrown.code === wanted;
  await assert.rejects(catalog.remove('starter'), code('not-supported'));
  await assert.rejects(catalog.get('nothing'), code('pack-missing'));
  await assert.rejects(catalog.install('nothing'), code('not-found'));
});

test('the manifest that ships parses, pins commits and offers no research-only licence', async () => {
  const manifest = await readManifest(join(import.meta.dirname, '../../../models/manifest.json'));
  const ids = manifest.packs.map(({ id }) => id);
  assert.ok(ids.includes('siglip2-base-patch16-224') && ids.includes('clip-vit-base-patch32'));
  assert.deepEqual(
    manifest.packs.filter(({ recommended, pack }) => recommended && !('tasks' in pack)).map(({ id }) => id),
    ['siglip2-base-patch16-224'],
  );
  for (const offer of manifest.packs) {
    assert.ok(['MIT', 'Apache-2.0'].includes(offer.pack.licence.id), offer.id);
    const paths = offer.files.map(({ path }) => path);
    if ('tasks' in offer.pack) {
      assert.ok(paths.includes('tokenizer.json') && paths.includes('preprocessor_config.json'), offer.id);
      continue;
    }
    assert.ok(paths.includes(offer.pack.image.file) && paths.includes(offer.pack.text.file));
    for (const file of offer.files.filter(({ path }) => path.endsWith('.onnx'))) {
      assert.ok(file.sha256 !== null, `${offer.id} ${file.path} is pinned by checksum`);
    }
  }
  assert.equal(new URL(manifest.origin).protocol, 'https:');
  assert.ok(manifest.hosts.every((host) => /(^|\.)(huggingface\.co|hf\.co)$/.test(host)));
});

test('a manifest that names a branch or climbs out of the pack does not parse', async () => {
  const good = JSON.parse(
    await readFile(join(import.meta.dirname, '../../../models/manifest.json'), 'utf8'),
  ) as { packs: { revision: string; files: { path: string }[] }[] };
  const first = good.packs[0];
  assert.ok(first !== undefined);
  assert.ok(!manifestShape.safeParse({ ...good, packs: [{ ...first, revision: 'main' }] }).success);
  const climbing = { ...first, files: [{ path: '../x', bytes: 1, sha256: null }] };
  assert.ok(!manifestShape.safeParse({ ...good, packs: [climbing] }).success);
});
