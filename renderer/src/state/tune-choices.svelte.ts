/** What the next run learns from and how, as the person chose it. */
import type { CallInput, HeadName, LossName, PairSource } from '../../../main/contract.ts';
import type { Chosen } from './folders.svelte.ts';

/** Of the contract. */
const defaults = { head: 'cache', loss: 'infonce', epochs: 20, seed: 1 } as const;

export class TuneChoices {
  /** A folder with captions, or such a file. */
  folder = $state.raw<Chosen | null>(null);
  leftOut = $state.raw<readonly PairSource[]>([]);
  head = $state<HeadName>(defaults.head);
  loss = $state<LossName>(defaults.loss);
  epochs = $state<number>(defaults.epochs);
  seed = $state<number>(defaults.seed);

  get grant(): string | null {
    return this.folder?.grant ?? null;
  }

  include(source: PairSource, on: boolean): void {
    this.leftOut = on ? this.leftOut.filter((each) => each !== source) : [...this.leftOut, source];
  }

  /** @returns undefined where all of them are taken. */
  taken(available: readonly { readonly source: PairSource }[]): PairSource[] | undefined {
    const taken = available.map(({ source }) => source).filter((source) => !this.leftOut.includes(source));
    return taken.length === available.length ? undefined : taken;
  }

  reset(): void {
    Object.assign(this, defaults);
  }

  /** @param available what there is to learn from. */
  input(available: readonly { readonly source: PairSource }[]): CallInput<'tune.run'> {
    const { head, loss, epochs, seed, grant } = this;
    const sources = this.taken(available);
    const some = sources === undefined || sources.length === 0 ? {} : { sources };
    return { head, loss, epochs, seed, grant, ...some };
  }
}
