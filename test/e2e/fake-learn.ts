/** Made-up thumbs, names, runs and past queries for the page tests; a run goes on round by round and ends as told. */
import type {
  EventName,
  EventPayload,
  PairSource,
  SwapProgress,
  TaughtName,
  TuneProgress,
  TuneRun,
  TuneSources,
  Vote,
} from '../../main/contract.ts';
import { AppError } from '../../main/errors.ts';
import { fakeLab } from './fake-lab.ts';
import { endedRun, madeRun, pointAt, type Outcome } from './fake-runs.ts';
import type { FakeLibrary } from './fake-library.ts';
import type { Handlers } from './fake-server.ts';

type Emit = <K extends EventName>(name: K, payload: EventPayload<K>) => void;

interface KeptName {
  readonly id: number;
  name: string;
  kind: string | null;
  readonly photos: Set<number>;
  readonly createdAt: number;
}

const needed = 40;

export class FakeLearning {
  readonly votes = new Map<string, { photoId: number; text: string; vote: Vote; at: number }>();
  names: KeptName[] = [];
  queries: { text: string; at: number; times: number }[] = [];
  runs: TuneRun[] = [];
  active: number | null = null;
  progress: TuneProgress | null = null;
  outcome: Outcome = 'offered';
  /** Captions by hand that the library has, each of a different photo. */
  captions = 0;
  /** Each round of a run waits for this, the proof with the round after the last. */
  gate: (epoch: number) => Promise<void> = () => Promise.resolve();
  /** Each part of a swap waits for this. */
  swapGate: (stage: SwapProgress['stage']) => Promise<void> = () => Promise.resolve();
  readonly #library: FakeLibrary;
  readonly #emit: Emit;
  readonly #lab = fakeLab();
  #before: (number | null)[] = [];
  #stop = { asked: false };
  #ids = 0;

  constructor(library: FakeLibrary, emit: Emit) {
    this.#library = library;
    this.#emit = emit;
  }

  /** Teaches a name without a page asking for it. */
  teach(name: string, photoIds: readonly number[], kind: string | null = null): KeptName {
    const known = this.names.find((each) => each.name.toLowerCase() === name.toLowerCase());
    const kept = known ?? { id: ++this.#ids, name, kind, photos: new Set(), createdAt: Date.now() };
    for (const id of photoIds) kept.photos.add(id);
    if (kind !== null) kept.kind = kind;
    if (known === undefined) this.names = [kept, ...this.names];
    return kept;
  }

  /** A run of the past, in this state. */
  past(state: TuneRun['state'], more: Partial<TuneRun> = {}): TuneRun {
    const run = madeRun(++this.#ids, state, more);
    this.runs = [run, ...this.runs];
    if (state === 'active') this.active = run.id;
    return run;
  }

  /** Tells pages how things are now. */
  changed(): void {
    this.#emit('names', { names: this.names.map((name) => this.#shown(name)) });
    this.#emit('runs', { runs: this.runs, active: this.active });
    this.#emit('feedback', this.#counts());
  }

  readonly handlers: Handlers = {
    'feedback.set': ({ photoId, text, vote }) => {
      const key = `${photoId} ${folded(text)}`;
      if (vote === null) this.votes.delete(key);
      else this.votes.set(key, { photoId, text, vote, at: Date.now() });
      this.#emit('feedback', this.#counts());
      return this.#counts();
    },
    'feedback.of': ({ text, photoIds }) => ({
      votes: photoIds.flatMap((photoId) => {
        const found = this.votes.get(`${photoId} ${folded(text)}`);
        return found === undefined ? [] : [{ photoId, vote: found.vote }];
      }),
    }),
    'feedback.list': ({ offset, limit }) => ({
      ...this.#counts(),
      entries: [...this.votes.values()].slice(offset, offset + limit).map(({ photoId, text, vote, at }) => ({
        photo: { ...this.#photo(photoId), path: this.#library.detail(photoId).path },
        text,
        vote,
        at,
      })),
    }),
    'feedback.clear': () => {
      this.votes.clear();
      this.#emit('feedback', this.#counts());
      return {};
    },
    'queries.remember': ({ text }) => {
      const known = this.queries.find((query) => query.text === text);
      this.queries = [
        { text, at: Date.now(), times: (known?.times ?? 0) + 1 },
        ...this.queries.filter((query) => query !== known),
      ];
      return {};
    },
    'queries.list': ({ limit }) => ({ queries: this.queries.slice(0, limit) }),
    'queries.forget': ({ text }) => {
      this.queries = text === undefined ? [] : this.queries.filter((query) => query.text !== text);
      return {};
    },
    'names.list': () => ({ names: this.names.map((name) => this.#shown(name)) }),
    'names.teach': ({ name, kind, photoIds }) => this.#told(this.teach(name, photoIds, kind ?? null)),
    'names.update': ({ nameId, name, kind }) => {
      const kept = this.#name(nameId);
      if (name !== undefined) kept.name = name;
      if (kind !== undefined) kept.kind = kind;
      return this.#told(kept);
    },
    'names.photos': ({ nameId }) => ({ photoIds: [...this.#name(nameId).photos].sort((a, b) => a - b) }),
    'names.take': ({ nameId, photoIds }) => {
      const kept = this.#name(nameId);
      for (const id of photoIds) kept.photos.delete(id);
      return this.#told(kept);
    },
    'names.remove': ({ nameId }) => {
      this.names = this.names.filter(({ id }) => id !== nameId);
      this.changed();
      return {};
    },
    'tune.sources': ({ grant, sources }) => this.#sources(grant, sources),
    'tune.state': () => ({ progress: this.progress }),
    'tune.runs': () => ({ runs: this.runs, active: this.active }),
    'tune.stop': () => {
      this.#stop.asked = true;
      return {};
    },
    'tune.run': async (input, { progress }) => ({ run: await this.#run(input, progress) }),
    'tune.compare': ({ limit }) => ({
      comparisons: this.queries.slice(0, 3).map(({ text }) => {
        const before = this.#library.search(text, 0, 0, limit).hits.map(({ id }) => id);
        // What stood third to sixth goes first, and two that were nowhere come in at the end.
        const fresh = this.#library.search(text, 0, 40, 2).hits.map(({ id }) => id);
        const after = [...before.slice(2, 6), ...before.slice(0, 2), ...before.slice(6, -2), ...fresh];
        const side = (ids: readonly number[], other: readonly number[]) =>
          ids.map((id, at) => ({
            ...this.#photo(id),
            rank: at + 1,
            otherRank: other.includes(id) ? other.indexOf(id) + 1 : null,
          }));
        return { text, before: side(before, after), after: side(after, before), up: 6, down: 2 };
      }),
    }),
    'tune.accept': async ({ runId }, { progress }) => {
      const run = this.#runOf(runId);
      await this.#swap(progress);
      this.#before.push(this.active);
      this.#use(run.id);
      return { run: this.#runOf(runId), seconds: 1.4 };
    },
    'tune.undo': async (_, { progress }) => {
      await this.#swap(progress);
      this.#use(this.#before.pop() ?? null);
      return { active: this.active, seconds: 1.1 };
    },
    'tune.decline': ({ runId }) => ({ run: this.#change(runId, { state: 'declined' }) }),
    'tune.remove': ({ runId }) => {
      if (runId === this.active) throw new AppError('input-invalid', 'This run is in use. Undo it first.');
      this.runs = this.runs.filter(({ id }) => id !== runId);
      this.changed();
      return {};
    },
    'tune.export': ({ runId, grant }) => ({ path: `${grant}/afterimage-head-${runId}.aih` }),
    'tune.import': () => ({ run: this.past('offered', { imported: true, curve: [] }) }),
    ...this.#lab,
  };

  #counts(): { up: number; down: number } {
    const votes = [...this.votes.values()];
    const up = votes.filter(({ vote }) => vote === 'up').length;
    return { up, down: votes.length - up };
  }

  #photo(id: number) {
    const { name, width, height, takenAt } = this.#library.detail(id);
    return { id, name, width, height, takenAt };
  }

  #name(nameId: number): KeptName {
    const kept = this.names.find(({ id }) => id === nameId);
    if (kept === undefined) throw new AppError('not-found', 'There is no such name any more.');
    return kept;
  }

  #told(name: KeptName): { name: TaughtName } {
    this.changed();
    return { name: this.#shown(name) };
  }

  #shown({ id, name, kind, photos, createdAt }: KeptName): TaughtName {
    const of = photos.size;
    const check = of < 2 ? null : { found: of > 3 ? of - 1 : of, of };
    return { id, name, kind, photos: of, examples: [...photos].slice(0, 4), createdAt, check, problem: null };
  }

  #sources(grant: string | null, wanted?: readonly PairSource[]): TuneSources {
    const { up, down } = this.#counts();
    const named = this.names.reduce((sum, { photos }) => sum + photos.size, 0);
    const counted: [PairSource, number][] = [
      ['thumbs', up],
      ['names', named],
      ['captions', this.captions],
      ['albums', 0],
      ...(grant === null ? [] : [['file', 812] as [PairSource, number]]),
    ];
    const sources = counted
      .filter(([source]) => wanted === undefined || wanted.includes(source))
      .map(([source, pairs]) => ({ source, pairs, photos: pairs }));
    const pairs = sources.reduce((sum, source) => sum + source.pairs, 0);
    return {
      sources,
      pairs,
      photos: pairs,
      needed,
      negatives: down,
      contradictions: 0,
      skipped: grant === null ? [] : [{ line: 14, reason: 'beach-2.jpg is not in the library.' }],
      skippedTotal: grant === null ? 0 : 1,
      generic: { name: 'everyday', pairs: 1_000 },
      secondsEstimate: 11,
      problem:
        pairs >= needed
          ? null
          : {
              code: 'input-invalid',
              message: `A proof needs ${needed} different photos; there are ${pairs}.`,
            },
    };
  }

  async #run(
    input: { resume?: number | undefined; head: TuneRun['settings']['head']; epochs: number; seed: number },
    tell: (progress: TuneProgress) => void,
  ): Promise<TuneRun> {
    const stop = { asked: false };
    this.#stop = stop;
    const settings = { head: input.head, epochs: input.epochs, seed: input.seed };
    const { id } =
      input.resume === undefined ? this.past('running', { curve: [] }) : this.#runOf(input.resume);
    if (input.resume === undefined)
      this.#change(id, { settings: { ...this.#runOf(id).settings, ...settings } });
    const { epochs } = this.#change(id, { state: 'running' }).settings;
    const show = (stage: TuneProgress['stage'], epoch: number): void => {
      const { curve } = this.#runOf(id);
      this.progress = { runId: id, stage, epoch, epochs, curve, secondsLeft: (epochs - epoch) * 0.6 };
      this.#emit('tune', this.progress);
      tell(this.progress);
    };
    show('gathering', 0);
    await this.gate(0);
    for (let epoch = this.#runOf(id).curve.length + 1; epoch <= epochs; epoch++) {
      if (stop.asked) break;
      this.#change(id, { curve: [...this.#runOf(id).curve, pointAt(epoch, epochs)] });
      show('training', epoch);
      await this.gate(epoch);
    }
    if (!stop.asked) {
      show('proving', epochs);
      await this.gate(epochs + 1);
    }
    this.progress = null;
    this.#emit('tune', null);
    const end: TuneRun = stop.asked
      ? { ...this.#runOf(id), state: 'stopped' }
      : endedRun(this.#runOf(id), this.outcome);
    return this.#change(id, { ...end, bySource: this.#sources(null).sources });
  }

  #runOf(runId: number): TuneRun {
    const run = this.runs.find(({ id }) => id === runId);
    if (run === undefined) throw new AppError('not-found', 'There is no such run any more.');
    return run;
  }

  #change(runId: number, change: Partial<TuneRun>): TuneRun {
    this.runs = this.runs.map((run) => (run.id === runId ? { ...run, ...change } : run));
    this.#emit('runs', { runs: this.runs, active: this.active });
    return this.#runOf(runId);
  }

  async #swap(tell: (progress: SwapProgress) => void): Promise<void> {
    const total = this.#library.count;
    for (const stage of ['projecting', 'index', 'swap'] as const) {
      const progress = { stage, done: Math.round(total / 2), total };
      this.#emit('swap', progress);
      tell(progress);
      await this.swapGate(stage);
    }
    this.#emit('swap', null);
  }

  #use(runId: number | null): void {
    const before = this.active;
    this.active = runId;
    if (before !== null) this.#change(before, { state: 'retired' });
    if (runId !== null) this.#change(runId, { state: 'active' });
    this.changed();
  }
}

function folded(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/g, ' ').trim();
}
