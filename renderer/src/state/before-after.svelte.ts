/** A person's own past queries, searched with what was learnt and without it. */
import type { QueryComparison } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { shapeOf, type PageClient } from '../client.ts';

/** As many as fit a strip; what matters happens at the top. */
const photosEach = 12;

export class BeforeAfter {
  list = $state.raw<readonly QueryComparison[] | null>(null);
  failure = $state.raw<ErrorShape | null>(null);
  readonly #client: PageClient;
  #abort: AbortController | undefined;

  constructor(client: PageClient) {
    this.#client = client;
  }

  /** Asks anew each time: thumbs, names and photos change between. */
  async look(runId: number): Promise<void> {
    this.leave();
    const abort = new AbortController();
    this.#abort = abort;
    this.list = null;
    this.failure = null;
    try {
      const { comparisons } = await this.#client.call(
        'tune.compare',
        { runId, limit: photosEach },
        { signal: abort.signal },
      );
      if (!abort.signal.aborted) this.list = comparisons;
    } catch (error) {
      if (!abort.signal.aborted) this.failure = shapeOf(error);
    }
  }

  leave(): void {
    this.#abort?.abort();
  }
}
