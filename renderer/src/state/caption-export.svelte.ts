/** Writing captions and tags to files of their own: which photos, how far it is, and what was left out. */
import type { CallOutput } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';

export type ExportWay = 'beside' | 'folder' | 'csv';

export class CaptionExport {
  /** The photos, 'all', or null while nobody asks. */
  photos = $state.raw<readonly number[] | 'all' | null>(null);
  progress = $state.raw<{ done: number; total: number } | null>(null);
  result = $state.raw<(CallOutput<'captions.export'> & { way: ExportWay }) | null>(null);
  failure = $state.raw<ErrorShape | null>(null);
  readonly busy = $derived(this.progress !== null);
  readonly #client: PageClient;
  #abort: AbortController | undefined;

  constructor(client: PageClient) {
    this.#client = client;
  }

  about(photos: readonly number[] | 'all'): void {
    this.stop();
    this.progress = null;
    this.result = null;
    this.failure = null;
    this.photos = photos;
  }

  close(): void {
    this.stop();
    this.photos = null;
  }

  stop(): void {
    this.#abort?.abort();
  }

  /** @param grant the folder to write into; null beside the photos. */
  async run(way: ExportWay, grant: string | null): Promise<void> {
    const { photos } = this;
    if (photos === null) return;
    this.stop();
    const abort = new AbortController();
    this.#abort = abort;
    this.failure = null;
    this.result = null;
    this.progress = { done: 0, total: photos === 'all' ? 0 : photos.length };
    try {
      const output = await this.#client.call(
        'captions.export',
        {
          format: way === 'csv' ? 'csv' : 'xmp',
          grant,
          ...(photos === 'all' ? {} : { photoIds: [...photos] }),
        },
        { signal: abort.signal, onProgress: (progress) => (this.progress = progress) },
      );
      if (this.#abort === abort) this.result = { ...output, way };
    } catch (error) {
      if (this.#abort !== abort) return;
      const { code, message, details } = CallError.from(error);
      this.failure = { code, message, details };
    } finally {
      if (this.#abort === abort) this.progress = null;
    }
  }
}
