/** Describing the photo in the viewer: the words as they come, and a caption by hand. */
import { SvelteMap } from 'svelte/reactivity';
import type { Caption } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError, type PageClient } from '../client.ts';

interface Making {
  readonly words: string;
  readonly abort: AbortController;
}

export class ViewerCaption {
  /** Photos being described; moving on to another one doesn't stop it. */
  readonly making = new SvelteMap<number, Making>();
  readonly failures = new SvelteMap<number, ErrorShape>();
  /** What was there before the last change by hand, to take it back. */
  before = $state.raw<{ photoId: number; text: string } | null>(null);
  readonly #client: PageClient;
  readonly #changed: (photoId: number, caption: Caption | null) => void;

  constructor(client: PageClient, changed: (photoId: number, caption: Caption | null) => void) {
    this.#client = client;
    this.#changed = changed;
  }

  /** @param again also where there is a caption already, by hand included. */
  async make(photoId: number, again: boolean): Promise<void> {
    if (this.making.has(photoId)) return;
    const abort = new AbortController();
    this.failures.delete(photoId);
    this.making.set(photoId, { words: '', abort });
    try {
      const { caption } = await this.#client.call(
        'captions.make',
        { photoId, again },
        {
          signal: abort.signal,
          onProgress: ({ text }) => {
            if (!abort.signal.aborted) this.making.set(photoId, { words: text, abort });
          },
        },
      );
      this.#changed(photoId, caption);
    } catch (error) {
      this.#fail(photoId, error);
    } finally {
      this.making.delete(photoId);
    }
  }

  stop(photoId: number): void {
    this.making.get(photoId)?.abort.abort();
  }

  /** @param text empty takes the caption by hand away. @returns whether it was kept. */
  async write(photoId: number, text: string, before: Caption | null): Promise<boolean> {
    this.failures.delete(photoId);
    try {
      const { caption } = await this.#client.call('captions.set', { photoId, text: text.trim() });
      this.before = { photoId, text: before?.by === 'hand' ? before.text : '' };
      this.#changed(photoId, caption);
      return true;
    } catch (error) {
      this.#fail(photoId, error);
      return false;
    }
  }

  async undo(caption: Caption | null): Promise<void> {
    const { before } = this;
    if (before === null) return;
    if (await this.write(before.photoId, before.text, caption)) this.before = null;
  }

  #fail(photoId: number, thrown: unknown): void {
    const { code, message, details } = CallError.from(thrown);
    if (code !== 'cancelled') this.failures.set(photoId, { code, message, details });
  }
}
