/** Made-up albums, tags, caption runs and exports for the page tests; smart albums follow the made-up library. */
import type {
  Album,
  CallOutput,
  CaptionProgress,
  EventName,
  EventPayload,
  SmartQuery,
  Tag,
} from '../../main/contract.ts';
import { AppError } from '../../main/errors.ts';
import type { FakeDescriptions } from './fake-describe.ts';
import { sizeOf, type FakeLibrary } from './fake-library.ts';
import type { Handlers } from './fake-server.ts';

type Emit = <K extends EventName>(name: K, payload: EventPayload<K>) => void;

interface KeptAlbum {
  readonly id: number;
  name: string;
  readonly kind: Album['kind'];
  query: SmartQuery | null;
  /** By hand. */
  readonly pinned: Set<number>;
  readonly excluded: Set<number>;
  cover: number | null;
  readonly createdAt: number;
  problem: Album['problem'];
}

const shippedTags = ['beach', 'bird', 'boat', 'dog', 'flower', 'mountain', 'people', 'snow', 'sunset'];
const idle: CaptionProgress = {
  phase: 'idle',
  done: 0,
  total: 0,
  failed: 0,
  photosPerMinute: 0,
  secondsLeft: null,
  current: null,
};

export class FakePlaces {
  albums: KeptAlbum[] = [];
  tags: Tag[];
  /** Sidecars of other programs that an export leaves alone. */
  foreign = 0;
  /** Photos that cannot be described. */
  readonly undescribable = new Set<number>();
  /** Each photo of a caption run waits for this. */
  gate: (done: number) => Promise<void> = () => Promise.resolve();
  run: CaptionProgress = idle;
  readonly #library: FakeLibrary;
  readonly #describe: FakeDescriptions;
  readonly #emit: Emit;
  #resumed = Promise.resolve();
  #resume = (): void => undefined;
  #stop = { asked: false };
  #ids = 0;

  constructor(library: FakeLibrary, describe: FakeDescriptions, emit: Emit) {
    this.#library = library;
    this.#describe = describe;
    this.#emit = emit;
    this.tags = shippedTags.map((name, at) => ({
      id: at + 1,
      name,
      prompts: name === 'beach' ? ['a sandy beach', 'people on a beach by the sea'] : [],
      photos: library.count === 0 ? 0 : (at * 37) % 113,
    }));
  }

  albumsOf(photoId: number): { id: number; name: string }[] {
    return this.albums
      .filter((album) => this.#members(album).includes(photoId))
      .map(({ id, name }) => ({ id, name }));
  }

  /** Makes an album without a page asking for it. */
  make(name: string, content: { photoIds: number[] } | { query: SmartQuery }): KeptAlbum {
    if (this.albums.some((album) => album.name === name)) {
      throw new AppError('input-invalid', `There is an album "${name}" already.`);
    }
    const smart = 'query' in content;
    const album: KeptAlbum = {
      id: ++this.#ids,
      name,
      kind: smart ? 'smart' : 'plain',
      query: smart ? content.query : null,
      pinned: new Set(smart ? [] : content.photoIds),
      excluded: new Set(),
      cover: null,
      createdAt: Date.now(),
      problem: null,
    };
    this.albums = [album, ...this.albums];
    return album;
  }

  /** Tells pages how the albums are now. */
  changed(): void {
    this.#emit('albums', { albums: this.#list() });
  }

  readonly handlers: Handlers = {
    'albums.list': () => ({ albums: this.#list() }),
    'albums.create': (input) => {
      const album = this.make(
        input.name,
        'query' in input ? { query: input.query } : { photoIds: input.photoIds },
      );
      this.changed();
      return { album: this.#shown(album) };
    },
    'albums.update': ({ albumId, name, query, cover }) => {
      const album = this.#album(albumId);
      if (name !== undefined) album.name = name;
      if (query !== undefined) {
        album.query = query;
        album.problem = null;
      }
      if (cover !== undefined) album.cover = cover;
      this.changed();
      return { album: this.#shown(album) };
    },
    'albums.remove': ({ albumId }) => {
      this.albums = this.albums.filter(({ id }) => id !== albumId);
      this.changed();
      return {};
    },
    'albums.add': ({ albumId, photoIds }) => {
      const album = this.#album(albumId);
      for (const id of photoIds) {
        album.pinned.add(id);
        album.excluded.delete(id);
      }
      this.changed();
      return { album: this.#shown(album) };
    },
    'albums.take': ({ albumId, photoIds }) => {
      const album = this.#album(albumId);
      for (const id of photoIds) {
        album.pinned.delete(id);
        if (album.kind === 'smart') album.excluded.add(id);
      }
      this.changed();
      return { album: this.#shown(album) };
    },
    'albums.photos': ({ albumId }) => this.#photos(albumId),
    'tags.list': () => ({ tags: this.tags }),
    'tags.set': ({ tagId, name, prompts }) => {
      const known = this.tags.find(({ id }) => id === tagId);
      const tag: Tag = {
        id: known?.id ?? 1_000 + ++this.#ids,
        name,
        prompts,
        photos: known?.photos ?? 0,
      };
      this.tags = [...this.tags.filter(({ id }) => id !== tag.id), tag];
      this.#emit('tags', { tags: this.tags });
      return { tag };
    },
    'tags.remove': ({ tagId }) => {
      this.tags = this.tags.filter(({ id }) => id !== tagId);
      this.#emit('tags', { tags: this.tags });
      return {};
    },
    'tags.restore': () => {
      const missing = shippedTags.filter((name) => !this.tags.some((tag) => tag.name === name));
      this.tags = [
        ...this.tags,
        ...missing.map((name) => ({ id: 2_000 + shippedTags.indexOf(name), name, prompts: [], photos: 0 })),
      ];
      return { tags: this.tags };
    },
    'captions.state': () => this.run,
    'captions.pause': () => {
      this.#resumed = new Promise((resolve) => (this.#resume = resolve));
      this.#show({ phase: 'paused', secondsLeft: null });
      return {};
    },
    'captions.resume': () => {
      this.#resume();
      this.#show({ phase: 'captioning' });
      return {};
    },
    'captions.stop': () => {
      this.#stop.asked = true;
      this.#resume();
      return {};
    },
    'captions.run': async ({ photoIds, again }, { progress }) => {
      const ids = photoIds ?? Array.from({ length: this.#library.count }, (_, at) => at + 1);
      const report: CallOutput<'captions.run'> = {
        captioned: 0,
        unsure: 0,
        skipped: 0,
        failed: [],
        seconds: 1,
      };
      const stop = { asked: false };
      this.#stop = stop;
      this.#resumed = Promise.resolve();
      for (const [done, id] of ids.entries()) {
        const { name, path } = this.#library.detail(id);
        this.#show({
          phase: 'captioning',
          done,
          total: ids.length,
          failed: report.failed.length,
          photosPerMinute: 96,
          secondsLeft: (ids.length - done) * 0.6,
          current: name,
        });
        progress(this.run);
        await this.gate(done);
        await this.#resumed;
        if (stop.asked) break;
        if (this.undescribable.has(id)) {
          report.failed.push({ photoId: id, path, code: 'image-broken', message: `${name} is damaged.` });
        } else if (this.#describe.captions.has(id) && !again) report.skipped++;
        else if (this.#describe.isDoubtful(id)) report.unsure++;
        else {
          this.#describe.captions.set(id, {
            text: `a made-up caption of photo ${id}`,
            by: 'model',
            sure: true,
            confidence: 0.8,
            packId: 'starter-captioner',
            at: Date.now(),
          });
          report.captioned++;
        }
      }
      this.#show(idle);
      this.#emit('described', { photoIds: ids.slice(0, 1_000) });
      return report;
    },
    'captions.export': ({ format, grant, photoIds }, { progress }) => {
      const total = photoIds?.length ?? this.#library.count;
      progress({ done: total, total });
      const skipped = Array.from(
        { length: format === 'xmp' ? Math.min(this.foreign, total) : 0 },
        (_, at) => ({
          path: this.#library.detail(at + 1).path,
          reason: 'A sidecar of another program is there already; it was left alone.',
        }),
      );
      return {
        written: total - skipped.length,
        skipped,
        path: grant === null ? null : `${grant}${format === 'csv' ? '/captions.csv' : ''}`,
      };
    },
  };

  #show(progress: Partial<CaptionProgress>): void {
    this.run = { ...this.run, ...progress };
    this.#emit('captions', this.run);
  }

  #album(albumId: number): KeptAlbum {
    const album = this.albums.find(({ id }) => id === albumId);
    if (album === undefined) throw new AppError('not-found', 'There is no such album any more.');
    return album;
  }

  #members(album: KeptAlbum): number[] {
    const found =
      album.query === null
        ? []
        : this.#library
            .search(album.query.text, album.query.examples.length, 0, 5_000)
            .hits.filter(
              ({ band }) => band === 'strong' || (band === 'likely' && album.query?.band === 'likely'),
            )
            .map(({ id }) => id);
    return [...new Set([...album.pinned, ...found])].filter((id) => !album.excluded.has(id));
  }

  #shown(album: KeptAlbum): Album {
    const { ids } = this.#photos(album.id);
    const { id, name, kind, query, createdAt, problem } = album;
    const cover = album.cover ?? ids[0] ?? null;
    return { id, name, kind, query, photos: ids.length, cover, createdAt, problem };
  }

  #list(): Album[] {
    return this.albums.map((album) => this.#shown(album));
  }

  #photos(albumId: number): CallOutput<'albums.photos'> {
    const ids = this.#members(this.#album(albumId)).sort(
      (a, b) => this.#library.takenAt(b - 1) - this.#library.takenAt(a - 1),
    );
    const months: { month: string; count: number }[] = [];
    for (const id of ids) {
      const month = new Date(this.#library.takenAt(id - 1)).toISOString().slice(0, 7);
      const last = months.at(-1);
      if (last?.month === month) last.count++;
      else months.push({ month, count: 1 });
    }
    const aspects = ids.map((id) => {
      const { width, height } = sizeOf(id);
      return Math.round((width / height) * 100);
    });
    return { ids, aspects, months };
  }
}
