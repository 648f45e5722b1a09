/** Describing many photos: how far it is, what failed, and the ways to hold it or end it. */
import type { CaptionProgress, CaptionReport } from '../../../main/contract.ts';
import { CallError, type PageClient } from '../client.ts';
import { idsNotIn } from '../grid/id-sets.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Notices } from './notices.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly notices: Notices;
  readonly words: Words;
}

const idle: CaptionProgress = {
  phase: 'idle',
  done: 0,
  total: 0,
  failed: 0,
  photosPerMinute: 0,
  secondsLeft: null,
  current: null,
};

export class CaptionRun {
  progress = $state.raw<CaptionProgress>(idle);
  /** Photos of the last run that could not be described, with reasons. */
  failures = $state.raw<CaptionReport['failed']>([]);
  /** The sheet with details. */
  open = $state(false);
  readonly busy = $derived(this.progress.phase !== 'idle');
  readonly #app: Needs;

  constructor(app: Needs) {
    this.#app = app;
    app.client.on('captions', (progress) => (this.progress = progress));
  }

  async refresh(): Promise<void> {
    try {
      this.progress = await this.#app.client.call('captions.state', {});
    } catch (error) {
      // The library's own failure is shown in full; this would say it twice.
      if (CallError.from(error).code !== 'engine-stopped') this.#app.notices.report(error);
    }
  }

  /**
   * Describes these photos, or all of them, and says what came of it. What is under way takes them up.
   * @param again writes what a model wrote anew
   */
  async run(photoIds?: readonly number[], again = false): Promise<void> {
    const { client, notices, words } = this.#app;
    try {
      const report = await client.call(
        'captions.run',
        { ...(photoIds === undefined ? {} : { photoIds: [...photoIds] }), again },
        { onProgress: (progress) => (this.progress = progress) },
      );
      // What failed before and was not tried again still stands; a run that was joined tells of it, too.
      const told = report.failed.map(({ photoId }) => photoId);
      const before = photoIds === undefined ? [] : this.failures.map(({ photoId }) => photoId);
      const others = idsNotIn([...told, ...(photoIds ?? [])], before);
      this.failures = [...this.failures.filter(({ photoId }) => others.includes(photoId)), ...report.failed];
      notices.tell(words.t.run.done(report.captioned, report.unsure, report.skipped), 'captions');
    } catch (error) {
      notices.report(error);
    } finally {
      await this.refresh();
    }
  }

  async pause(): Promise<void> {
    await this.#try('captions.pause');
  }

  async resume(): Promise<void> {
    await this.#try('captions.resume');
  }

  /** Ends the run; what it wrote stays. */
  async stop(): Promise<void> {
    await this.#try('captions.stop');
  }

  /** Takes the list of failures off the screen. */
  forget(): void {
    this.failures = [];
    this.open = false;
  }

  async #try(change: 'captions.pause' | 'captions.resume' | 'captions.stop'): Promise<void> {
    try {
      await this.#app.client.call(change, {});
      this.progress = await this.#app.client.call('captions.state', {});
    } catch (error) {
      this.#app.notices.report(error);
    }
  }
}
