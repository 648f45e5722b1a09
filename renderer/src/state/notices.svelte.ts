/** Short messages at the edge of the window: what happened, to what, what to do. */
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError } from '../client.ts';
import type { Words } from '../i18n/words.svelte.ts';
import { Timers } from './timers.ts';

/** What can be done about a message, e.g. undoing what it tells of. */
export interface NoticeAction {
  readonly label: string;
  readonly run: () => void;
}

export interface Notice {
  readonly key: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly what: string;
  readonly remedy: string | null;
  /** The engine's own sentence, where it says more than the translated one. */
  readonly details: string | null;
  readonly action: NoticeAction | null;
}

/** How long a message that asks for nothing stays, milliseconds: about 15 words at a slow reading pace. */
const infoMs = 6_000;
/** ... and one with something to do: enough to read it, decide, and get there by keyboard. */
const actionMs = 12_000;
const most = 4;

export class Notices {
  list = $state.raw<readonly Notice[]>([]);
  readonly #words: Words;
  readonly #timers = new Timers();

  constructor(words: Words) {
    this.#words = words;
  }

  tell(what: string, key = what, action: NoticeAction | null = null): void {
    this.#show({ key, level: 'info', what, remedy: null, details: null, action });
  }

  /** Tells what did not go, where the error's code alone would say too little. */
  warn(what: string, key: string): void {
    this.#show({ key, level: 'warning', what, remedy: null, details: null, action: null });
  }

  /** Shows anything thrown by a call, except that the person gave up themselves. */
  report(thrown: unknown): void {
    const error = CallError.from(thrown);
    if (error.code === 'cancelled') return;
    this.fromEngine({ ...shapeOf(error), level: 'error', key: `call-${error.code}` });
  }

  fromEngine(notice: ErrorShape & { level: Notice['level']; key: string }): void {
    const { what, remedy } = this.#words.sentence(notice);
    const details = notice.message === '' || notice.message === what ? null : notice.message;
    this.#show({ key: notice.key, level: notice.level, what, remedy, details, action: null });
  }

  dismiss(key: string): void {
    this.#timers.clear(key);
    this.list = this.list.filter((notice) => notice.key !== key);
  }

  #show(notice: Notice): void {
    this.dismiss(notice.key);
    this.list = [...this.list, notice].slice(-most);
    if (notice.level !== 'info') return;
    const ms = notice.action === null ? infoMs : actionMs;
    this.#timers.set(notice.key, ms, () => this.dismiss(notice.key));
  }
}

function shapeOf(error: CallError): ErrorShape {
  return { code: error.code, message: error.message, details: error.details };
}
