/**
 * `npm run pack:check`: packs the app as a Linux folder around a stand-in Electron, with every download made
 * impossible, and asserts what is inside and what is not. Prints one JSON object.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { FuseState, FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { listAsar, type PackedFile } from './asar-list.ts';
import { makeStandInElectron } from './stand-in-electron.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
/** Refuses at once, so that a download fails instead of waiting. */
const nowhere = 'http://127.0.0.1:9/';
const { arch } = process;

/** What the three systems' builds share; each is a file that must be there, for the reason given. */
const wanted = [
  'package.json',
  'dist/main/shell/electron/main.js',
  'dist/main/shell/electron/preload.cjs',
  'dist/main/host/engine-process.js',
  'dist/main/engine/inference/decoder-process.js',
  'dist/main/engine/inference/heic-worker.js',
  'dist/main/engine/inference/vision-process.js',
  'dist/main/engine/inference/text-process.js',
  'dist/main/engine/inference/language-process.js',
  'renderer/dist/index.html',
  'node_modules/better-sqlite3/package.json',
  'node_modules/csv-parse/lib/sync.js',
  'node_modules/hnswlib-node/package.json',
  'node_modules/onnxruntime-node/package.json',
  'node_modules/onnxruntime-common/package.json',
  'node_modules/onnxruntime-common/dist/esm/index.js',
  'node_modules/@huggingface/transformers/dist/transformers.node.mjs',
  'node_modules/@huggingface/jinja/package.json',
  'node_modules/sharp/package.json',
  'node_modules/zod/package.json',
  'node_modules/libheif-js/libheif-wasm/libheif-bundle.js',
];
const wantedUnpacked = [
  `node_modules/better-sqlite3/prebuilds/linux-${arch}.node`,
  'node_modules/hnswlib-node/build/Release/addon.node',
  `node_modules/onnxruntime-node/bin/napi-v6/linux/${arch}/onnxruntime_binding.node`,
  `node_modules/onnxruntime-node/bin/napi-v6/linux/${arch}/libonnxruntime.so.1`,
];
const unwanted: [RegExp, string][] = [
  [/^(main|renderer\/src|test|docs|models|release)\//, 'sources, tests and models stay out of the archive'],
  [/\.([cm]?ts|map|svelte|tsbuildinfo|pdb|py|o|cc|cpp|[ch]pp?)$/, 'no sources, maps or debug symbols'],
  [/^node_modules\/onnxruntime-node\/bin\/napi-v6\/(?!linux\/)/, "no other system's onnxruntime"],
  [/\.(dll|dylib|exe)$/, "no other system's libraries"],
  [/^node_modules\/onnxruntime-web\/|\.wasm\.mjs$/, 'no runtime for browsers'],
  [
    /^node_modules\/(electron|electron-builder|node|vite|svelte|typescript|eslint|prettier|playwright-core|@sparticuz)\//,
    'no development tools',
  ],
  [/(^|\/)(\.env|\.npmrc|\.git)/, 'no settings of this machine'],
];
/** Whatever is not among these is off. */
const fusesThatAreOn = [
  'EnableCookieEncryption',
  'EnableEmbeddedAsarIntegrityValidation',
  'OnlyLoadAppFromAsar',
];
/** electron-builder has no word for this one; it keeps Electron's default, and stops no attack. */
const fuseLeftAlone = 'WasmTrapHandlers';

interface Summary {
  readonly arch: string;
  readonly files: number;
  readonly unpackedFiles: number;
  readonly bytes: { archive: number; unpacked: number; models: number };
  readonly largest: { path: string; bytes: number }[];
  readonly fuses: string[];
  readonly seconds: number;
}

async function packCheck(): Promise<Summary> {
  const startedAt = performance.now();
  const work = mkdtempSync(join(tmpdir(), 'afterimage-pack-'));
  try {
    if (!process.argv.includes('--no-build')) run('npm', ['run', '--silent', 'build']);
    const require = createRequire(import.meta.url);
    const electron = JSON.parse(readFileSync(join(top, 'node_modules/electron/package.json'), 'utf8')) as {
      version: string;
    };
    makeStandInElectron(join(work, 'electron'), electron.version);
    const builder = join(dirname(require.resolve('electron-builder/package.json')), 'cli.js');
    const output = join(work, 'release');
    run(process.execPath, [
      builder,
      ...['--linux', 'dir', `--${arch}`, '--config', 'electron-builder.yml', '--publish', 'never'],
      `-c.electronDist=${join(work, 'electron')}`,
      `-c.directories.output=${output}`,
    ]);
    const [folder] = readdirSync(output).filter((name) => name.endsWith('unpacked'));
    assert.ok(folder, 'electron-builder made a folder');
    return {
      ...(await inspect(join(output, folder), work)),
      seconds: Math.round((performance.now() - startedAt) / 1000),
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(program: string, args: string[]): void {
  const env = {
    ...process.env,
    ELECTRON_MIRROR: nowhere,
    ELECTRON_BUILDER_BINARIES_MIRROR: nowhere,
    NODE_OPTIONS: '',
  };
  const { status } = spawnSync(program, args, { cwd: top, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`${program} ${args[0] ?? ''} failed with ${String(status)}`);
}

async function inspect(app: string, work: string): Promise<Omit<Summary, 'seconds'>> {
  const resources = join(app, 'resources');
  const files = listAsar(join(resources, 'app.asar'));
  const paths = new Map(files.map((file) => [file.path, file]));
  for (const path of wanted) assert.ok(paths.has(path), `${path} is packed`);
  for (const path of wantedUnpacked) {
    assert.equal(paths.get(path)?.unpacked, true, `${path} is unpacked`);
    assert.ok(existsSync(join(resources, 'app.asar.unpacked', path)), `${path} lies beside the archive`);
  }
  for (const [pattern, why] of unwanted) {
    const found = files.filter(({ path }) => pattern.test(path)).map(({ path }) => path);
    assert.deepEqual(found.slice(0, 5), [], `${why}: ${found.length} found`);
  }
  const native = files.filter(({ path }) => path.endsWith('.node'));
  assert.ok(
    native.length >= 5 && native.every(({ unpacked }) => unpacked),
    'every native module is unpacked',
  );
  onlyProduction(files);
  for (const file of [
    'manifest.json',
    'starter/pack.json',
    'starter/tokenizer.json',
    'starter/preprocessor_config.json',
    'starter/generic/pairs.json',
    'starter/generic/images.i8',
    'starter-captioner/pack.json',
    'starter-answerer/pack.json',
  ])
    assert.ok(existsSync(join(resources, 'models', file)), `models/${file} lies beside the archive`);
  assert.ok(!existsSync(join(resources, 'models', 'train')), 'the training recipe is not packed');
  assert.ok(existsSync(join(app, 'afterimage')), 'the program has its name');
  loadsNatives(join(resources, 'app.asar.unpacked'), work);
  return {
    arch,
    files: files.length,
    unpackedFiles: files.filter(({ unpacked }) => unpacked).length,
    bytes: {
      archive: statSync(join(resources, 'app.asar')).size,
      unpacked: sizeOf(join(resources, 'app.asar.unpacked')),
      models: sizeOf(join(resources, 'models')),
    },
    largest: [...files]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, 8)
      .map(({ path, bytes }) => ({ path, bytes })),
    fuses: await checkFuses(join(app, 'afterimage')),
  };
}

/** Every packed package is one that the app needs when it runs. */
function onlyProduction(files: readonly PackedFile[]): void {
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable', '--loglevel=error'], {
    cwd: top,
    encoding: 'utf8',
  });
  const production = new Set(listed.split('\n').map((path) => path.slice(path.lastIndexOf('node_modules/'))));
  const packed = files.flatMap(({ path }) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  const strays = [...new Set(packed)].filter((path) => !production.has(path));
  assert.deepEqual(strays, [], 'only packages that the app runs with are packed');
}

/** The unpacked native code finds its own libraries: it is loaded from where it lies, in a process of its own. */
function loadsNatives(unpacked: string, work: string): void {
  const copy = join(work, 'loaded');
  cpSync(unpacked, copy, { recursive: true });
  for (const path of wantedUnpacked.filter((each) => each.endsWith('.node')))
    execFileSync(process.execPath, [
      '-e',
      'process.dlopen({ exports: {} }, process.argv[1])',
      join(copy, path),
    ]);
}

async function checkFuses(program: string): Promise<string[]> {
  const wire = await getCurrentFuseWire(program);
  const on = Object.entries(FuseV1Options).flatMap(([name, option]) =>
    typeof option === 'number' && name !== fuseLeftAlone && wire[option] === FuseState.ENABLE ? [name] : [],
  );
  assert.deepEqual(on, fusesThatAreOn, 'the fuses are set');
  return on;
}

function sizeOf(directory: string): number {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

process.stdout.write(`${JSON.stringify(await packCheck(), null, 2)}\n`);
