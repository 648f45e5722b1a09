/** Learning from thumbs, names, captions and albums: what there is, the run under way, and what became of each run. */
import type { PairSource, SwapProgress, TuneProgress, TuneRun, TuneSources } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { shapeOf, type PageClient } from '../client.ts';
import type { Words } from '../i18n/words.svelte.ts';
import type { Chosen } from './folders.svelte.ts';
import type { Notices } from './notices.svelte.ts';
import type { Routes } from './routes.svelte.ts';
import { Timers } from './timers.ts';
import { TuneChoices } from './tune-choices.svelte.ts';

interface Needs {
  readonly client: PageClient;
  readonly notices: Notices;
  readonly words: Words;
  readonly routes: Routes;
}

/** Thumbs come in quick succession; what they add up to is counted once they rest, milliseconds. */
const restMs = 400;

export class Tuning {
  /** Everything that could be learnt from. */
  available = $state.raw<TuneSources | null>(null);
  /** What of it will be. */
  planned = $state.raw<TuneSources | null>(null);
  /** Why it could not be counted. */
  failure = $state.raw<ErrorShape | null>(null);
  readonly choices = new TuneChoices();

  runs = $state.raw<readonly TuneRun[]>([]);
  active = $state<number | null>(null);
  loaded = $state(false);
  progress = $state.raw<TuneProgress | null>(null);
  swap = $state.raw<SwapProgress | null>(null);
  /** This page waits for a run, a swap or the end of one. */
  starting = $state(false);
  stopping = $state(false);
  swapping = $state(false);
  /** Why the last run could not be started. */
  startFailure = $state.raw<ErrorShape | null>(null);
  /** Verdicts that were read and put away. */
  dismissed = $state.raw<readonly number[]>([]);
  readonly busy = $derived(this.progress !== null || this.starting);
  readonly changing = $derived(this.swap !== null || this.swapping);
  readonly offered = $derived(this.runs.find(({ state }) => state === 'offered'));
  readonly inUse = $derived(this.runs.find(({ id }) => id === this.active));
  /** The last run, where it ended without an offer and nobody has put that away. */
  readonly ended = $derived.by(() => {
    const [last] = this.runs;
    const told: readonly TuneRun['state'][] = ['stopped', 'interrupted', 'failed', 'refused'];
    return last !== undefined && told.includes(last.state) && !this.dismissed.includes(last.id)
      ? last
      : undefined;
  });
  readonly #app: Needs;
  readonly #timers = new Timers();
  #watching = false;
  #counts = 0;
  #heard = 0;

  constructor(app: Needs) {
    this.#app = app;
    const { client } = app;
    client.on('tune', (progress) => {
      this.progress = progress;
      if (progress === null) this.stopping = false;
    });
    client.on('runs', ({ runs, active }) => {
      this.#heard++;
      this.#take(runs, active);
    });
    client.on('swap', (swap) => (this.swap = swap));
    for (const name of ['feedback', 'names', 'albums', 'described', 'library'] as const) {
      client.on(name, () => this.recount());
    }
  }

  async refresh(): Promise<void> {
    const heard = this.#heard;
    const { client, notices } = this.#app;
    try {
      const [{ runs, active }, { progress }] = await Promise.all([
        client.call('tune.runs', {}),
        client.call('tune.state', {}),
      ]);
      this.progress = progress;
      if (heard === this.#heard) this.#take(runs, active);
    } catch (error) {
      notices.report(error);
    }
    this.recount();
  }

  /** What there is to learn from is on the screen, or not any more. */
  watch(on: boolean): void {
    this.#watching = on;
    if (on) void this.count();
    else this.#timers.clear('count');
  }

  recount(): void {
    if (this.#watching) this.#timers.set('count', restMs, () => void this.count());
  }

  async count(): Promise<void> {
    const round = ++this.#counts;
    const { grant } = this.choices;
    const { client } = this.#app;
    try {
      const available = await client.call('tune.sources', { grant });
      const sources = this.choices.taken(available.sources);
      const planned =
        sources === undefined ? available : await client.call('tune.sources', { grant, sources });
      if (round !== this.#counts) return;
      this.available = available;
      this.planned = planned;
      this.failure = null;
    } catch (error) {
      if (round === this.#counts) this.failure = shapeOf(error);
    }
  }

  include(source: PairSource, on: boolean): void {
    this.choices.include(source, on);
    void this.count();
  }

  useFolder(folder: Chosen | null): void {
    this.choices.folder = folder;
    void this.count();
  }

  /** @param resume a run that was stopped or interrupted. */
  async run(resume?: TuneRun): Promise<void> {
    const { client } = this.#app;
    this.starting = true;
    this.startFailure = null;
    const { choices } = this;
    const input =
      resume === undefined
        ? choices.input(this.available?.sources ?? [])
        : { resume: resume.id, grant: choices.grant };
    try {
      const { run } = await client.call('tune.run', input, {
        onProgress: (progress) => (this.progress = progress),
      });
      this.#put(run);
      this.#announce(run);
    } catch (error) {
      const failure = shapeOf(error);
      if (failure.code !== 'cancelled') this.startFailure = failure;
    } finally {
      this.starting = false;
      this.stopping = false;
      await this.refresh();
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const asked = await this.#try(() => this.#app.client.call('tune.stop', {}));
    if (!asked) this.stopping = false;
  }

  async accept(run: TuneRun): Promise<void> {
    const { client, notices, words } = this.#app;
    await this.#change(async () => {
      const answer = await client.call(
        'tune.accept',
        { runId: run.id },
        { onProgress: (swap) => (this.swap = swap) },
      );
      this.#put(answer.run);
      this.active = answer.run.id;
      notices.tell(words.t.teach.used, 'tune', {
        label: words.t.teach.undo,
        run: () => void this.undo(),
      });
    });
  }

  async undo(): Promise<void> {
    const { client, notices, words } = this.#app;
    await this.#change(async () => {
      const { active } = await client.call('tune.undo', {}, { onProgress: (swap) => (this.swap = swap) });
      this.active = active;
      notices.tell(words.t.teach.undone, 'tune');
    });
  }

  async decline(run: TuneRun): Promise<void> {
    const { client, notices, words } = this.#app;
    await this.#try(async () => {
      this.#put((await client.call('tune.decline', { runId: run.id })).run);
      notices.tell(words.t.teach.leftAlone, 'tune');
    });
  }

  async remove(run: TuneRun): Promise<void> {
    const { client, notices, words } = this.#app;
    await this.#try(async () => {
      await client.call('tune.remove', { runId: run.id });
      this.runs = this.runs.filter(({ id }) => id !== run.id);
      notices.tell(words.t.teach.removed, 'tune');
    });
  }

  async exportTo(run: TuneRun, folder: Chosen): Promise<void> {
    const { client, notices, words } = this.#app;
    await this.#try(async () => {
      const { path } = await client.call('tune.export', { runId: run.id, grant: folder.grant });
      notices.tell(words.t.teach.exported(path), 'tune');
    });
  }

  async importFrom(folder: Chosen): Promise<void> {
    const { client, notices, words } = this.#app;
    await this.#try(async () => {
      this.#put((await client.call('tune.import', { grant: folder.grant })).run);
      notices.tell(words.t.teach.imported, 'tune');
    });
  }

  dismiss(run: TuneRun): void {
    this.dismissed = [...this.dismissed, run.id];
  }

  /** Whoever went elsewhere meanwhile hears of it. */
  #announce(run: TuneRun): void {
    const { notices, routes, words } = this.#app;
    if (routes.place === 'teach' || (run.state !== 'offered' && run.state !== 'refused')) return;
    const { t } = words;
    notices.tell(run.state === 'offered' ? t.teach.ready : t.teach.readyRefused, 'tune', {
      label: t.teach.look,
      run: () => routes.go('teach'),
    });
  }

  async #change(swap: () => Promise<void>): Promise<void> {
    this.swapping = true;
    await this.#try(swap);
    this.swapping = false;
    this.swap = null;
    await this.refresh();
  }

  #take(runs: readonly TuneRun[], active: number | null): void {
    this.runs = runs;
    this.active = active;
    this.loaded = true;
  }

  #put(run: TuneRun): void {
    const known = this.runs.some(({ id }) => id === run.id);
    this.runs = known ? this.runs.map((each) => (each.id === run.id ? run : each)) : [run, ...this.runs];
  }

  async #try(change: () => Promise<unknown>): Promise<boolean> {
    try {
      await change();
      return true;
    } catch (error) {
      const { code, message } = shapeOf(error);
      const { notices, words } = this.#app;
      // Heads that don't fit, files that hold none: the engine says what and why.
      if (code === 'input-invalid') notices.warn(words.t.teach.problems.refused(message), 'tune');
      else notices.report(error);
      return false;
    }
  }
}
