/** Thumbs: what a person said of photos among a query's results, and which queries were looked into. */
import { SvelteMap } from 'svelte/reactivity';
import type { Vote } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { PhotoQuery } from '../grid/source.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Notices } from './notices.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly notices: Notices;
  readonly words: Words;
}

const mostHeld = 20_000;
/** As the contract allows. */
const mostAtOnce = 5_000;

export class Feedback {
  counts = $state.raw<{ up: number; down: number }>({ up: 0, down: 0 });
  readonly #votes = new SvelteMap<string, Vote | null>();
  readonly #app: Needs;
  /** What is on the screen, to be asked for again when thumbs change elsewhere. */
  #shown: { text: string; photoIds: readonly number[] } | null = null;
  #changes = 0;
  #remembered = '';

  constructor(app: Needs) {
    this.#app = app;
    app.client.on('feedback', (counts) => {
      this.counts = counts;
      void this.#again();
    });
  }

  async refresh(): Promise<void> {
    try {
      const { up, down } = await this.#app.client.call('feedback.list', { limit: 1 });
      this.counts = { up, down };
    } catch (error) {
      this.#app.notices.report(error);
    }
  }

  /** The words that a thumb is about; null where there are none (examples alone, or nothing searched for). */
  about(query: PhotoQuery | null | undefined): string | null {
    const text = query?.text.trim() ?? '';
    return text === '' ? null : text;
  }

  of(text: string, photoId: number): Vote | null {
    return this.#votes.get(keyOf(text, photoId)) ?? null;
  }

  /** Fetches the thumbs of photos that are on the screen, where they aren't known. */
  async look(text: string, photoIds: readonly number[]): Promise<void> {
    this.#shown = { text, photoIds };
    const unknown = photoIds.filter((id) => !this.#votes.has(keyOf(text, id)));
    if (unknown.length > 0) await this.#fetch(text, unknown);
  }

  /** The same thumb again takes it back. */
  async press(text: string, photoId: number, vote: Vote): Promise<void> {
    const { notices, words } = this.#app;
    const before = this.of(text, photoId);
    const next = before === vote ? null : vote;
    this.remember(text);
    if (!(await this.#set(text, photoId, next))) return;
    const { t } = words;
    notices.tell(next === null ? t.feedback.takenBack : t.feedback.noted(next, shortened(text)), 'feedback', {
      label: t.app.undo,
      run: () => void this.#set(text, photoId, before),
    });
  }

  /** Notes that results of a query were looked at: once as long as it is the same query. */
  remember(text: string): void {
    if (text === this.#remembered) return;
    this.#remembered = text;
    // It only serves "before and after": nobody is to be troubled when it fails.
    this.#app.client.call('queries.remember', { text }).catch(() => undefined);
  }

  async clear(): Promise<void> {
    await this.#app.client.call('feedback.clear', {});
    this.#votes.clear();
    this.counts = { up: 0, down: 0 };
  }

  async #set(text: string, photoId: number, vote: Vote | null): Promise<boolean> {
    const key = keyOf(text, photoId);
    const before = this.#votes.get(key) ?? null;
    this.#changes++;
    this.#votes.set(key, vote);
    try {
      this.counts = await this.#app.client.call('feedback.set', { photoId, text, vote });
      return true;
    } catch (error) {
      this.#votes.set(key, before);
      this.#app.notices.report(error);
      return false;
    }
  }

  async #again(): Promise<void> {
    const shown = this.#shown;
    if (shown !== null) await this.#fetch(shown.text, shown.photoIds);
  }

  async #fetch(text: string, photoIds: readonly number[]): Promise<void> {
    const asked = photoIds.slice(0, mostAtOnce);
    const changes = this.#changes;
    try {
      const { votes } = await this.#app.client.call('feedback.of', { text, photoIds: asked });
      // A thumb that was pressed meanwhile is newer; its event asks again.
      if (changes !== this.#changes) return;
      if (this.#votes.size > mostHeld) this.#votes.clear();
      for (const id of asked) this.#votes.set(keyOf(text, id), null);
      for (const { photoId, vote } of votes) this.#votes.set(keyOf(text, photoId), vote);
    } catch {
      // Tiles stay without thumbs pressed; pressing one says what is wrong.
    }
  }
}

/** Queries are told apart as the engine does it: not by case or spaces. */
function keyOf(text: string, photoId: number): string {
  return `${photoId} ${text.normalize('NFC').toLowerCase().replaceAll(/\s+/g, ' ').trim()}`;
}

export function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59).trimEnd()}…` : text;
}
