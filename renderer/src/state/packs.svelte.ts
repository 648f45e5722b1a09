/** Model packs and what they run on. */
import type { Pack, PackProgress, ProviderState } from '../../../main/contract.ts';
import type { PageClient } from '../client.ts';
import type { Notices } from './notices.svelte.ts';

export class Packs {
  list = $state.raw<readonly Pack[]>([]);
  providers = $state.raw<readonly ProviderState[]>([]);
  progress = $state.raw<PackProgress | null>(null);
  /** The pack being checked, which reports no progress. */
  checking = $state<string | null>(null);
  loaded = $state(false);
  readonly #client: PageClient;
  readonly #notices: Notices;
  #abort: AbortController | undefined;

  constructor(client: PageClient, notices: Notices) {
    this.#client = client;
    this.#notices = notices;
    client.on('packs', (progress) => {
      this.progress = progress;
      if (progress === null) void this.refresh();
    });
  }

  async refresh(): Promise<void> {
    try {
      const [{ packs }, { providers }] = await Promise.all([
        this.#client.call('packs.list', {}),
        this.#client.call('providers.list', {}),
      ]);
      this.list = packs;
      this.providers = providers;
      this.loaded = true;
    } catch (error) {
      this.#notices.report(error);
    }
  }

  async install(packId: string): Promise<void> {
    await this.#long((signal, onProgress) =>
      this.#client.call('packs.install', { packId }, { signal, onProgress }),
    );
  }

  async installFolder(grant: string): Promise<void> {
    await this.#long((signal, onProgress) =>
      this.#client.call('packs.installFolder', { grant }, { signal, onProgress }),
    );
  }

  async use(packId: string): Promise<void> {
    await this.#long((signal, onProgress) =>
      this.#client.call('packs.use', { packId }, { signal, onProgress }),
    );
  }

  cancel(): void {
    this.#abort?.abort();
  }

  async verify(packId: string): Promise<void> {
    this.checking = packId;
    try {
      await this.#client.call('packs.verify', { packId });
      await this.refresh();
    } catch (error) {
      this.#notices.report(error);
    } finally {
      this.checking = null;
    }
  }

  async remove(packId: string): Promise<void> {
    try {
      await this.#client.call('packs.remove', { packId });
      await this.refresh();
    } catch (error) {
      this.#notices.report(error);
    }
  }

  async #long(
    work: (signal: AbortSignal, onProgress: (progress: PackProgress) => void) => Promise<unknown>,
  ): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      await work(abort.signal, (progress) => (this.progress = progress));
    } catch (error) {
      this.#notices.report(error);
    } finally {
      this.progress = null;
      await this.refresh();
    }
  }
}
