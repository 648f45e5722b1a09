/** The page's way to the engine: over Electron's bridge where there is one, otherwise over loopback HTTP. */
import type {
  CallInput,
  CallName,
  CallOptions,
  CallOutput,
  CallProgress,
  Client,
  EventName,
  EventPayload,
} from '../../main/contract.ts';
import type { ErrorCode, ErrorDetails, ErrorShape } from '../../main/errors.ts';

/** An error as the engine sent it, with the code that the page translates. */
export class CallError extends Error implements ErrorShape {
  readonly code: ErrorCode;
  readonly details: ErrorDetails | undefined;

  constructor(shape: ErrorShape) {
    super(shape.message);
    this.name = 'CallError';
    this.code = shape.code;
    this.details = shape.details;
  }

  static from(thrown: unknown): CallError {
    if (thrown instanceof CallError) return thrown;
    if (thrown instanceof DOMException && thrown.name === 'AbortError') {
      return new CallError({ code: 'cancelled', message: '' });
    }
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    return new CallError({ code: 'internal', message });
  }
}

/** What a call threw, as state keeps it. */
export function shapeOf(thrown: unknown): ErrorShape {
  const { code, message, details } = CallError.from(thrown);
  return { code, message, details };
}

/** What a link to the engine says about itself. */
export type LinkState = 'up' | 'down';

/** 'original' is for saving and only the web shell has it: a desktop opens the file itself. */
type PhotoSize = 'thumb' | 'full' | 'original';

export interface PageClient extends Client {
  photoUrl(photoId: number, size: PhotoSize): string;
  /** A grant for a folder dropped on the window, where the shell can give one. */
  grantDropped(file: File): Promise<string | null>;
}

type Answer = { output: unknown } | { error: ErrorShape };

/** What the Electron preload puts on `window`. Progress and cancelling go by a call's own id. */
export interface Bridge {
  call(callId: string, name: string, input: unknown, onProgress?: (value: unknown) => void): Promise<Answer>;
  cancel(callId: string): void;
  on(name: string, listener: (payload: unknown) => void): () => void;
  grantDropped(file: File): Promise<string | null>;
}

/** @param onLink hears when the engine cannot be reached, and when it can be again. */
export function connect(
  page: Window & { afterimage?: Bridge },
  onLink: (state: LinkState) => void,
): PageClient {
  return page.afterimage === undefined ? new HttpClient(onLink) : new BridgeClient(page.afterimage);
}

function opened<K extends CallName>(answer: Answer): CallOutput<K> {
  if ('error' in answer) throw new CallError(answer.error);
  return answer.output as CallOutput<K>;
}

class BridgeClient implements PageClient {
  readonly #bridge: Bridge;
  #calls = 0;

  constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  async call<K extends CallName>(
    name: K,
    input: CallInput<K>,
    options: CallOptions<K> = {},
  ): Promise<CallOutput<K>> {
    const { signal, onProgress } = options;
    signal?.throwIfAborted();
    const callId = `page-${++this.#calls}`;
    const cancel = (): void => this.#bridge.cancel(callId);
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      const heard =
        onProgress === undefined ? undefined : (value: unknown): void => onProgress(value as CallProgress<K>);
      return opened<K>(await this.#bridge.call(callId, name, input, heard));
    } catch (error) {
      throw CallError.from(error);
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  on<K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void): () => void {
    return this.#bridge.on(name, (payload) => listener(payload as EventPayload<K>));
  }

  photoUrl(photoId: number, size: PhotoSize): string {
    return `photo://${size}/${photoId}`;
  }

  grantDropped(file: File): Promise<string | null> {
    return this.#bridge.grantDropped(file);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Waits before another try at the event stream, milliseconds. */
const retryMs = [500, 1_000, 2_000, 5_000];

class HttpClient implements PageClient {
  readonly #onLink: (state: LinkState) => void;
  readonly #listeners = new Map<string, Set<(payload: never) => void>>();
  #events: EventSource | undefined;
  #tries = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(onLink: (state: LinkState) => void) {
    this.#onLink = onLink;
    this.#listen();
  }

  async call<K extends CallName>(
    name: K,
    input: CallInput<K>,
    options: CallOptions<K> = {},
  ): Promise<CallOutput<K>> {
    const { signal, onProgress } = options;
    try {
      const response = await fetch(`/api/call/${name}`, {
        method: 'POST',
        credentials: 'same-origin',
        headers: {
          'content-type': 'application/json',
          accept: onProgress === undefined ? 'application/json' : 'application/x-ndjson',
        },
        body: JSON.stringify(input),
        signal: signal ?? null,
      });
      const streamed = response.headers.get('content-type')?.startsWith('application/x-ndjson') === true;
      const answer =
        streamed && response.body !== null
          ? await lastLine(response.body, (value) => onProgress?.(value as CallProgress<K>))
          : ((await response.json()) as Answer);
      return opened<K>(answer);
    } catch (error) {
      // fetch says only TypeError when nobody listens any more.
      if (error instanceof TypeError) {
        throw new CallError({
          code: 'engine-stopped',
          message: 'Afterimage does not answer. Start it again.',
        });
      }
      throw CallError.from(error);
    }
  }

  on<K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void): () => void {
    let set = this.#listeners.get(name);
    if (set === undefined) {
      set = new Set();
      this.#listeners.set(name, set);
      this.#attach(name);
    }
    const kept = listener as (payload: never) => void;
    set.add(kept);
    return () => void set.delete(kept);
  }

  photoUrl(photoId: number, size: PhotoSize): string {
    return `/photo/${photoId}/${size}`;
  }

  /** A browser doesn't tell a page where a dropped folder lies. */
  grantDropped(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#events?.close();
    return Promise.resolve();
  }

  #listen(): void {
    const events = new EventSource('/api/events');
    this.#events = events;
    events.onopen = () => {
      this.#tries = 0;
      this.#onLink('up');
    };
    events.onerror = () => {
      this.#onLink('down');
      // The browser retries a dropped stream by itself, but gives up on an answer that isn't one.
      if (events.readyState !== EventSource.CLOSED) return;
      this.#retry = setTimeout(() => this.#listen(), retryMs[Math.min(this.#tries++, retryMs.length - 1)]);
    };
    for (const name of this.#listeners.keys()) this.#attach(name);
  }

  #attach(name: string): void {
    this.#events?.addEventListener(name, (event: MessageEvent<string>) => {
      const payload = JSON.parse(event.data) as never;
      for (const listener of this.#listeners.get(name) ?? []) listener(payload);
    });
  }
}

/** Reads lines of JSON: any number of `progress`, then the answer. */
async function lastLine(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  onProgress: (value: unknown) => void,
): Promise<Answer> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let answer: Answer | undefined;
  const take = (line: string): void => {
    if (line.trim() === '') return;
    const parsed = JSON.parse(line) as { progress: unknown } | Answer;
    if ('progress' in parsed) onProgress(parsed.progress);
    else answer = parsed;
  };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const lines = (rest + value).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(take);
  }
  take(rest);
  if (answer === undefined) {
    throw new CallError({ code: 'engine-stopped', message: 'Afterimage stopped before it had answered.' });
  }
  return answer;
}
