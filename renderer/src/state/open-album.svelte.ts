/** The photos of the album that is open, newest first, kept up to date while one looks. */
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';
import type { GridMemory, GridSource } from '../grid/source.ts';
import { placed, type Month } from './months.ts';

export class OpenAlbum implements GridSource {
  ids = $state.raw<readonly number[]>([]);
  aspects = $state.raw<readonly number[]>([]);
  months = $state.raw<readonly Month[]>([]);
  /** The album whose photos these are. */
  albumId = $state<number | null>(null);
  loaded = $state(false);
  failure = $state.raw<ErrorShape | null>(null);
  /** Where each album was left, by id. */
  readonly #memories: Record<number, GridMemory> = {};
  readonly #client: PageClient;
  #abort: AbortController | undefined;

  constructor(client: PageClient) {
    this.#client = client;
    client.on('albums', () => {
      if (this.albumId !== null) void this.#load(this.albumId);
    });
  }

  get count(): number {
    return this.ids.length;
  }

  get memory(): GridMemory {
    return (this.#memories[this.albumId ?? -1] ??= { top: 0, active: 0 });
  }

  idAt(index: number): number | undefined {
    return this.ids[index];
  }

  near(): void {
    // All of it is here already.
  }

  /** Shows this album, or none. */
  show(albumId: number | null): void {
    if (this.albumId !== albumId) {
      this.albumId = albumId;
      this.ids = [];
      this.aspects = [];
      this.months = [];
      this.loaded = false;
      this.failure = null;
    }
    if (albumId !== null) void this.#load(albumId);
  }

  async #load(albumId: number): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      const { ids, aspects, months } = await this.#client.call(
        'albums.photos',
        { albumId },
        { signal: abort.signal },
      );
      if (abort.signal.aborted || this.albumId !== albumId) return;
      this.failure = null;
      this.loaded = true;
      // The event tells of every album; most of the time it is another one that changed.
      if (ids.length === this.ids.length && ids.every((id, at) => id === this.ids[at])) return;
      this.ids = ids;
      this.aspects = aspects;
      this.months = placed(months);
    } catch (error) {
      if (abort.signal.aborted) return;
      const { code, message, details } = CallError.from(error);
      this.failure = { code, message, details };
      this.loaded = true;
    }
  }
}
