/** A stand-in for the web shell: the same addresses and answers over a made-up library, for seeing every state. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import {
  calls,
  type CallInput,
  type CallName,
  type CallOutput,
  type CallProgress,
  type EventName,
  type EventPayload,
  type IndexProgress,
  type Pack,
  type ParsedInput,
  type Settings,
} from '../../main/contract.ts';
import { AppError, type ErrorCode } from '../../main/errors.ts';
import { FakeDescriptions, writingPacks } from './fake-describe.ts';
import { FakeLearning } from './fake-learn.ts';
import { FakePlaces } from './fake-places.ts';
import { FakeLibrary, mix, parse, root, sizeOf, type FakeOptions } from './fake-library.ts';

interface Context<K extends CallName> {
  readonly signal: AbortSignal;
  readonly progress: (value: CallProgress<K>) => void;
}
export type Handlers = {
  [K in CallName]?: (input: ParsedInput<K>, context: Context<K>) => CallOutput<K> | Promise<CallOutput<K>>;
};

export interface FakeServerOptions extends FakeOptions {
  /** The built page. */
  readonly dist: string;
  readonly language?: Settings['language'];
  readonly theme?: Settings['theme'];
  /** Whether there are models that caption and answer; the default is yes. */
  readonly writing?: boolean;
  /** Pictures to show instead of coloured ones. */
  readonly picture?: (id: number, size: string) => Promise<Buffer> | undefined;
}

/** What the real shell sends too, so that the page is tried under the same rules. */
const csp =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

const starterPack: Pack = {
  id: 'starter',
  name: 'Starter',
  description:
    'Comes with the app and needs no network. Small and fast; knows everyday animals, things, places and colours.',
  tasks: ['embed'],
  family: 'clip',
  dims: 256,
  quality: [],
  bytes: 23_800_000,
  licence: { id: 'MIT', name: 'MIT', url: null },
  source: 'models/train',
  recommended: false,
  installed: true,
  active: ['embed'],
  photos: 10_000,
  fingerprint: 'a'.repeat(16),
  selfTest: { at: Date.now() - 3_600_000, passed: true, provider: 'cpu', minCosine: 1, messages: [] },
};

export class FakeServer {
  readonly library: FakeLibrary;
  readonly describe: FakeDescriptions;
  readonly places: FakePlaces;
  readonly learn: FakeLearning;
  readonly heard: { name: string; input: unknown }[] = [];
  /** Calls that the page gave up, and that stopped for it. */
  readonly cancelled: string[] = [];
  /** Calls that fail, by name. */
  readonly failing = new Map<CallName, ErrorCode>();
  /** Searches that wait for this before they answer, by text. */
  readonly held = new Map<string, Promise<void>>();
  progress: IndexProgress = {
    phase: 'idle',
    done: 0,
    total: 0,
    failed: 0,
    imagesPerSecond: 0,
    secondsLeft: null,
    current: null,
  };
  packs: Pack[];
  readonly #options: FakeServerOptions;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  readonly #listening = Promise.withResolvers<true>();
  /** Resolves once a page listens to events: what is sent before is lost, as on a real stream. */
  readonly listening: Promise<true> = this.#listening.promise;
  #settings: Settings;

  constructor(options: FakeServerOptions) {
    this.#options = options;
    this.library = new FakeLibrary(options);
    this.describe = new FakeDescriptions(this.library, (photoIds) => this.emit('described', { photoIds }));
    this.places = new FakePlaces(this.library, this.describe, (name, payload) => this.emit(name, payload));
    this.learn = new FakeLearning(this.library, (name, payload) => this.emit(name, payload));
    this.packs = somePacks(options.model !== false, options.model !== false && options.writing !== false);
    this.#settings = {
      language: options.language ?? 'en',
      theme: options.theme ?? 'system',
      provider: 'auto',
      rowHeight: 200,
      thumbnailsMaxBytes: 2 ** 31,
      watchFolders: true,
      captionInBackground: false,
    };
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    for (const stream of this.#streams) stream.end();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  emit<K extends EventName>(name: K, payload: EventPayload<K>): void {
    for (const stream of this.#streams) stream.write(`event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`);
  }

  setProgress(progress: Partial<IndexProgress>): void {
    this.progress = { ...this.progress, ...progress };
    this.emit('indexing', this.progress);
  }

  /** More photos are in. */
  grow(photos: number): void {
    this.library.count = photos;
    this.library.generation++;
    this.emit('library', { generation: this.library.generation, photos });
  }

  count(name: CallName): number {
    return this.heard.filter((call) => call.name === name).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://local');
    const path = url.pathname;
    if (path.startsWith('/api/call/')) return this.#call(path.slice('/api/call/'.length), request, response);
    if (path === '/api/events') {
      this.#stream(request, response);
      return;
    }
    const photo = /^\/photo\/(\d+)\/(thumb|full)$/.exec(path);
    if (photo !== null) return this.#photo(Number(photo[1]), photo[2] ?? '', response);
    const file = path === '/' ? 'index.html' : path.slice(1);
    const bytes = await readFile(join(this.#options.dist, file)).catch(() => undefined);
    if (bytes === undefined) {
      response.statusCode = 404;
      response.end();
      return;
    }
    response.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
    response.setHeader('content-security-policy', csp);
    response.end(bytes);
  }

  async #call(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const call = name as CallName;
    const streamed = request.headers.accept === 'application/x-ndjson';
    response.setHeader('content-type', streamed ? 'application/x-ndjson' : 'application/json');
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const progress = (value: unknown): void => {
      if (streamed) response.write(`${JSON.stringify({ progress: value })}\n`);
    };
    try {
      const input: unknown = calls[call].input.parse(JSON.parse(Buffer.concat(chunks).toString()));
      this.heard.push({ name, input });
      const failing = this.failing.get(call);
      if (failing !== undefined) throw new AppError(failing, `${name} fails in this test.`);
      const handler = (this.#handlers[call] ??
        this.describe.handlers[call] ??
        this.places.handlers[call] ??
        this.learn.handlers[call]) as
        | ((value: unknown, context: { signal: AbortSignal; progress: typeof progress }) => unknown)
        | undefined;
      if (handler === undefined) throw new AppError('not-supported', `${name} is not faked.`);
      response.end(JSON.stringify({ output: await handler(input, { signal: gone.signal, progress }) }));
    } catch (error) {
      const shape = AppError.from(error).toShape();
      if (shape.code === 'cancelled') this.cancelled.push(name);
      if (!streamed) response.statusCode = 400;
      response.end(JSON.stringify({ error: shape }));
    }
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(': hello\n\n');
    this.#streams.add(response);
    this.#listening.resolve(true);
    request.on('close', () => this.#streams.delete(response));
  }

  async #photo(id: number, size: string, response: ServerResponse): Promise<void> {
    response.setHeader('cache-control', 'max-age=3600');
    response.setHeader('content-type', 'image/webp');
    const given = this.#options.picture?.(id, size);
    response.end(given === undefined ? await painted(id, size) : await given);
  }

  readonly #handlers: Handlers = {
    'app.info': () => ({
      version: '0.1.0',
      platform: 'linux',
      shell: 'web',
      can: { pickFolder: false, browseFolders: true, reveal: true, openFile: true },
      libraryPath: '/home/ada/.local/share/afterimage',
    }),
    'library.status': () => this.library.status(this.packs[0] ?? starterPack),
    'library.erase': () => {
      this.library.roots = [];
      this.grow(0);
      return {};
    },
    'roots.list': () => ({ roots: this.library.roots }),
    'roots.add': ({ grant }) => {
      const added = root(this.library.roots.length + 1, grant, 0, 0);
      this.library.roots = [...this.library.roots, added];
      this.emit('roots', { roots: this.library.roots });
      return { root: added, alreadyCovered: false };
    },
    'roots.remove': ({ rootId }) => {
      const gone = this.library.roots.find(({ id }) => id === rootId);
      this.library.roots = this.library.roots.filter(({ id }) => id !== rootId);
      return { removedPhotos: gone?.photos ?? 0 };
    },
    'indexing.run': () => ({
      photos: this.library.count,
      indexed: 0,
      unchanged: this.library.count,
      moved: 0,
      removed: 0,
      failed: [],
      seconds: 1,
      imagesPerSecond: 0,
    }),
    'indexing.state': () => this.progress,
    'indexing.pause': () => {
      this.setProgress({ phase: 'paused' });
      return {};
    },
    'indexing.resume': () => {
      this.setProgress({ phase: 'indexing' });
      return {};
    },
    'indexing.failures': ({ offset, limit }) => ({
      total: this.library.failures.length,
      failures: this.library.failures.slice(offset, offset + limit),
    }),
    'indexing.retry': ({ photoIds }) => {
      const before = this.library.failures.length;
      this.library.failures = this.library.failures.filter(
        ({ photoId }) => photoIds !== undefined && !photoIds.includes(photoId),
      );
      return { queued: before - this.library.failures.length };
    },
    'photos.timeline': () => this.library.timeline(),
    'photos.get': ({ photoId }) => ({
      ...this.library.detail(photoId),
      caption: this.describe.captions.get(photoId) ?? null,
      tags: this.describe.tagsOf(photoId),
      albums: this.places.albumsOf(photoId),
    }),
    'photos.duplicates': ({ offset, limit }) => this.library.duplicates(offset, limit),
    'photos.openFile': () => ({}),
    'photos.reveal': () => ({}),
    'search.query': async (input) => {
      await this.held.get(input.text);
      const found = this.describe.withWords(input.text);
      return this.library.search(input.text, input.examples.length, input.offset, input.limit, found);
    },
    'search.parse': ({ text }) => ({ chips: parse(text) }),
    'search.addExample': ({ name }) => ({ exampleId: `example-${name}`, name, width: 640, height: 480 }),
    'search.suggestions': () => ({
      queries: this.library.count === 0 ? [] : ['dog on a beach', 'red car', 'snow', 'birthday cake'],
    }),
    'packs.list': () => ({ packs: this.packs }),
    'packs.verify': () => ({
      selfTest: { at: Date.now(), passed: true, provider: 'cpu', minCosine: 1, messages: [] },
    }),
    'packs.install': ({ packId }) => {
      this.packs = this.packs.map((pack) => (pack.id === packId ? { ...pack, installed: true } : pack));
      return { pack: this.packs.find((pack) => pack.id === packId) ?? starterPack };
    },
    'packs.use': ({ packId }) => {
      const tasks = this.packs.find((pack) => pack.id === packId)?.tasks ?? [];
      this.packs = this.packs.map((pack) => ({
        ...pack,
        active: pack.id === packId ? tasks : pack.active.filter((task) => !tasks.includes(task)),
      }));
      return { pack: this.packs.find((pack) => pack.id === packId) ?? starterPack };
    },
    'providers.list': () => ({
      providers: [
        { name: 'cuda', available: false, chosen: false, message: 'No CUDA libraries were found.' },
        { name: 'webgpu', available: true, chosen: false, message: 'An adapter was found.' },
        { name: 'cpu', available: true, chosen: true, message: '' },
      ],
    }),
    'settings.get': () => this.#settings,
    'settings.set': (change) => {
      this.#settings = { ...this.#settings, ...(change as Partial<Settings>) };
      return this.#settings;
    },
    'folders.browse': ({ grant }) => browse(grant),
  };
}

function browse(grant: CallInput<'folders.browse'>['grant']): CallOutput<'folders.browse'> {
  const entry = (path: string): { grant: string; name: string; path: string } => ({
    grant: path,
    name: path.split('/').at(-1) ?? path,
    path,
  });
  if (grant === null) {
    return {
      current: null,
      parent: null,
      children: ['/home/ada', '/home/ada/Pictures', '/media/ada/Camera Archive'].map(entry),
    };
  }
  const names = grant.endsWith('Pictures')
    ? [
        '2019',
        '2020',
        '2021',
        '2022',
        '2023 Iceland',
        '2024',
        '2025',
        'From the old phone',
        'Scans',
        '家庭照片',
      ]
    : grant === '/home/ada'
      ? ['Desktop', 'Documents', 'Downloads', 'Pictures']
      : [];
  return {
    current: entry(grant),
    parent: grant === '/home/ada' ? null : entry('/home/ada'),
    children: names.map((name) => entry(`${grant}/${name}`)),
  };
}

function somePacks(model: boolean, writing: boolean): Pack[] {
  const later = { installed: false, active: [], photos: 0, fingerprint: null, selfTest: null };
  return [
    { ...starterPack, installed: model, active: model ? ['embed'] : [] },
    ...writingPacks(starterPack, writing),
    {
      ...starterPack,
      ...later,
      id: 'siglip2-base-patch16-224',
      name: 'SigLIP 2 B/16',
      description: 'Understands fine detail and many languages. Slower than the starter.',
      family: 'siglip2',
      bytes: 752_000_000,
      licence: { id: 'Apache-2.0', name: 'Apache 2.0', url: null },
      source: 'onnx-community/siglip2-base-patch16-224-ONNX',
      recommended: true,
    },
    {
      ...starterPack,
      ...later,
      id: 'clip-vit-base-patch32',
      name: 'CLIP ViT-B/32',
      description: 'A fast all-rounder that knows many everyday things.',
      bytes: 606_000_000,
      source: 'Xenova/clip-vit-base-patch32',
    },
  ];
}

/** A picture with a sky, a sun and a hill in colours of its own. */
async function painted(id: number, size: string): Promise<Buffer> {
  const { width, height } = sizeOf(id);
  const scale = (size === 'full' ? 1_600 : 480) / Math.max(width, height);
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const seed = mix(id);
  const hue = seed % 360;
  const [sun, hill] = [20 + ((seed >> 8) % 60), 45 + ((seed >> 14) % 35)];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 100 100" preserveAspectRatio="none">
    <defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="hsl(${hue} 45% 42%)"/><stop offset="1" stop-color="hsl(${(hue + 40) % 360} 55% 78%)"/></linearGradient></defs>
    <rect width="100" height="100" fill="url(#g)"/><ellipse cx="${sun}" cy="30" rx="${(900 * h) / (w + h) / 40}" ry="${(900 * w) / (w + h) / 40}" fill="#fff" opacity=".8"/>
    <path d="M0 ${hill} Q30 ${hill - 25} 55 ${hill} T100 ${hill - 6} V100 H0Z" fill="hsl(${(hue + 150) % 360} 30% 26%)" opacity=".85"/></svg>`;
  return sharp(Buffer.from(svg)).webp({ quality: 70 }).toBuffer();
}
