/** An engine of a few lines for the shells' tests: scripted calls, real files as photos, events on demand. */
import type {
  CallInput,
  CallName,
  CallOptions,
  CallOutput,
  EventName,
  EventPayload,
} from '../../../main/contract.ts';
import { AppError } from '../../../main/errors.ts';
import type { EngineAccess, PhotoFile } from '../../../main/shell/engine-access.ts';

type Script = (input: unknown, options: CallOptions<CallName>) => unknown;

export class FakeEngine implements EngineAccess {
  readonly heard: { name: string; input: unknown }[] = [];
  readonly granted: string[] = [];
  readonly photos = new Map<number, PhotoFile>();
  readonly thumbnails = new Map<number, Uint8Array>();
  readonly scripts = new Map<string, Script>();
  displayed = 0;
  closed = false;
  readonly #listeners = new Map<string, Set<(payload: never) => void>>();

  async call<K extends CallName>(
    name: K,
    input: CallInput<K>,
    options: CallOptions<K> = {},
  ): Promise<CallOutput<K>> {
    this.heard.push({ name, input });
    const script = this.scripts.get(name);
    if (script === undefined) throw new AppError('not-found', `${name} has no script.`);
    return (await script(input, options)) as CallOutput<K>;
  }

  on<K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, set.add(listener));
    return () => void set.delete(listener);
  }

  emit<K extends EventName>(name: K, payload: EventPayload<K>): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(payload as never);
  }

  get listening(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  grant(path: string): Promise<string> {
    this.granted.push(path);
    return Promise.resolve(`engine:${path}`);
  }

  photoFile(photoId: number): Promise<PhotoFile> {
    return this.#find(this.photos, photoId);
  }

  thumbnail(photoId: number): Promise<Uint8Array> {
    return this.#find(this.thumbnails, photoId);
  }

  async displayImage(photoId: number): Promise<Uint8Array> {
    await this.#find(this.photos, photoId);
    this.displayed++;
    return Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3]);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  #find<V>(among: Map<number, V>, photoId: number): Promise<V> {
    const value = among.get(photoId);
    if (value === undefined)
      return Promise.reject(new AppError('not-found', `Photo ${photoId} is not there.`));
    return Promise.resolve(value);
  }
}

/** The least a status can be. */
export const emptyStatus = (path: string): CallOutput<'library.status'> => ({
  path,
  roots: [],
  photos: 0,
  indexed: 0,
  failed: 0,
  pending: 0,
  generation: 0,
  activePack: null,
  provider: null,
  activeRun: null,
  index: { kind: 'exact', size: 0, building: false },
  bytes: { library: 0, thumbnails: 0, packs: 0 },
  captions: { total: 0, captioned: 0 },
  readOnly: false,
});
