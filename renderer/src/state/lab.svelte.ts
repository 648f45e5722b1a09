/** The alignment lab: which heads are trained, how far that is, and the table of the last run. */
import { SvelteSet } from 'svelte/reactivity';
import type { LabHeadInfo, LabProgress, LabReport } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { shapeOf, type PageClient } from '../client.ts';
import type { Chosen } from './folders.svelte.ts';

type Scoring = LabReport['scoring'];
/** All of them take half an hour: one begins with few that differ much. */
const firstChosen: readonly string[] = ['v0', 'v1', 'v6', 'v9', 'v11'];

export class Lab {
  heads = $state.raw<readonly LabHeadInfo[]>([]);
  readonly chosen = new SvelteSet<string>();
  epochs = $state(5);
  seed = $state(1);
  scoring = $state<Scoring>('pairs');
  tokens = $state<'all' | 'mean'>('all');
  /** At most this many photos. */
  limit = $state(600);
  folder = $state.raw<Chosen | null>(null);
  progress = $state.raw<LabProgress | null>(null);
  running = $state(false);
  report = $state.raw<LabReport | null>(null);
  failure = $state.raw<ErrorShape | null>(null);
  readonly #client: PageClient;
  #abort: AbortController | undefined;
  #loaded = false;

  constructor(client: PageClient) {
    this.#client = client;
  }

  /** Fetches the heads and the last table, once. */
  async load(): Promise<void> {
    if (this.#loaded) return;
    this.#loaded = true;
    try {
      const [{ heads }, { report }] = await Promise.all([
        this.#client.call('lab.heads', {}),
        this.#client.call('lab.last', {}),
      ]);
      this.heads = heads;
      this.report ??= report;
      const first = heads.filter(({ name }) => firstChosen.includes(name));
      for (const { name } of first) this.chosen.add(name);
    } catch (error) {
      this.#loaded = false;
      this.failure = shapeOf(error);
    }
  }

  choose(all: boolean): void {
    this.chosen.clear();
    if (all) for (const { name } of this.heads) this.chosen.add(name);
  }

  toggle(name: string): void {
    if (!this.chosen.delete(name)) this.chosen.add(name);
  }

  async run(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.failure = null;
    this.running = true;
    const heads = this.heads.map(({ name }) => name).filter((name) => this.chosen.has(name));
    try {
      this.report = await this.#client.call(
        'lab.run',
        {
          heads,
          epochs: this.epochs,
          seed: this.seed,
          limit: this.limit,
          scoring: this.scoring,
          tokens: this.tokens,
          grant: this.folder?.grant ?? null,
        },
        { signal: abort.signal, onProgress: (progress) => (this.progress = progress) },
      );
    } catch (error) {
      const failure = shapeOf(error);
      if (failure.code !== 'cancelled') this.failure = failure;
    } finally {
      this.running = false;
      this.progress = null;
    }
  }

  stop(): void {
    this.#abort?.abort();
  }
}
