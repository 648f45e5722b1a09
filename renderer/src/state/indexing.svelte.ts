/** How far looking at the photos is, and which of them could not be read. */
import type { IndexProgress, PhotoFailure } from '../../../main/contract.ts';
import { CallError, type PageClient } from '../client.ts';
import type { Notices } from './notices.svelte.ts';

const idle: IndexProgress = {
  phase: 'idle',
  done: 0,
  total: 0,
  failed: 0,
  imagesPerSecond: 0,
  secondsLeft: null,
  current: null,
};

const failurePage = 200;

export class Indexing {
  progress = $state.raw<IndexProgress>(idle);
  failures = $state.raw<readonly PhotoFailure[]>([]);
  failureTotal = $state(0);
  open = $state(false);
  readonly busy = $derived(this.progress.phase !== 'idle');
  /** Events so far: an answer that was overtaken by one is old news. */
  #heard = 0;
  readonly #client: PageClient;
  readonly #notices: Notices;

  constructor(client: PageClient, notices: Notices) {
    this.#client = client;
    this.#notices = notices;
    client.on('indexing', (progress) => {
      this.#heard++;
      this.#take(progress);
    });
  }

  async refresh(): Promise<void> {
    try {
      const heard = this.#heard;
      const progress = await this.#client.call('indexing.state', {});
      if (heard === this.#heard) this.#take(progress);
      await this.loadFailures();
    } catch (error) {
      // The library's own failure is shown in full; this would say it twice.
      if (CallError.from(error).code !== 'engine-stopped') this.#notices.report(error);
    }
  }

  async loadFailures(more = false): Promise<void> {
    const offset = more ? this.failures.length : 0;
    const page = await this.#client.call('indexing.failures', { offset, limit: failurePage });
    this.failures = more ? [...this.failures, ...page.failures] : page.failures;
    this.failureTotal = page.total;
  }

  /** Looks for new and changed photos; ends when all of them are in. */
  async run(): Promise<void> {
    try {
      await this.#client.call('indexing.run', {}, { onProgress: (progress) => this.#take(progress) });
      await this.refresh();
    } catch (error) {
      this.#notices.report(error);
    }
  }

  async pause(): Promise<void> {
    await this.#try(() => this.#client.call('indexing.pause', {}));
  }

  async resume(): Promise<void> {
    await this.#try(() => this.#client.call('indexing.resume', {}));
  }

  /** @returns how many files are tried again. */
  async retry(photoIds?: readonly number[]): Promise<number> {
    try {
      const input = photoIds === undefined ? {} : { photoIds: [...photoIds] };
      const { queued } = await this.#client.call('indexing.retry', input);
      await this.loadFailures();
      return queued;
    } catch (error) {
      this.#notices.report(error);
      return 0;
    }
  }

  async #try(change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
      this.#take(await this.#client.call('indexing.state', {}));
    } catch (error) {
      this.#notices.report(error);
    }
  }

  #take(progress: IndexProgress): void {
    const before = this.progress;
    this.progress = progress;
    const ended = before.phase !== 'idle' && progress.phase === 'idle';
    if (ended || (this.open && progress.failed !== before.failed)) {
      this.loadFailures().catch((error: unknown) => this.#notices.report(error));
    }
  }
}
