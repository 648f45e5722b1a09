/** The captions of photos that are on the screen, fetched together, for the names that screen readers read out. */
import { SvelteMap } from 'svelte/reactivity';
import type { PageClient } from '../client.ts';

/** Cells come into view row by row; what comes within this is asked for together, milliseconds. */
const gatherMs = 120;
const mostAtOnce = 1_000;
const mostHeld = 5_000;

export class Captions {
  /** Empty for photos that have none. */
  readonly #texts = new SvelteMap<number, string>();
  #wanted: number[] = [];
  readonly #client: PageClient;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: PageClient) {
    this.#client = client;
    client.on('described', ({ photoIds }) => {
      for (const id of photoIds) this.#texts.delete(id);
    });
  }

  /** @returns the caption where it is known; otherwise it is fetched, and whoever read it is told. */
  of(photoId: number): string {
    const text = this.#texts.get(photoId);
    if (text === undefined && !this.#wanted.includes(photoId)) {
      this.#wanted.push(photoId);
      this.#timer ??= setTimeout(() => void this.#fetch(), gatherMs);
    }
    return text ?? '';
  }

  async #fetch(): Promise<void> {
    this.#timer = undefined;
    // The latest are those in view; what flew by while scrolling is asked for when it is seen again.
    const photoIds = this.#wanted.slice(-mostAtOnce);
    this.#wanted = [];
    let said: Readonly<Record<number, string>> = {};
    try {
      const { captions } = await this.#client.call('captions.of', { photoIds });
      said = Object.fromEntries(captions.map(({ photoId, text }) => [photoId, text]));
    } catch {
      // Photos keep their names and dates as labels.
    }
    if (this.#texts.size > mostHeld) this.#texts.clear();
    for (const id of photoIds) this.#texts.set(id, said[id] ?? '');
  }
}
