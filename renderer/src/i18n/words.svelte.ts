/** The page's language: which catalogue every component reads. */
import type { Settings } from '../../../main/contract.ts';
import type { ErrorShape } from '../../../main/errors.ts';
import { CallError } from '../client.ts';
import { en, type Catalogue } from './en.ts';
import { zhCN } from './zh-CN.ts';

export type Language = 'en' | 'zh-CN';

export class Words {
  readonly #system: Language;
  #chosen = $state<Settings['language']>('system');
  readonly language = $derived.by(() => (this.#chosen === 'system' ? this.#system : this.#chosen));
  readonly t: Catalogue = $derived(this.language === 'zh-CN' ? zhCN : en);

  /** @param preferred the system's languages, best first. */
  constructor(preferred: readonly string[]) {
    const known = preferred.find((tag) => /^(zh|en)\b/i.test(tag));
    this.#system = known?.toLowerCase().startsWith('zh') === true ? 'zh-CN' : 'en';
  }

  choose(language: Settings['language']): void {
    this.#chosen = language;
  }

  /** What happened and what to do, in the page's language, with the name it happened to where one is known. */
  sentence(error: ErrorShape): { what: string; remedy: string } {
    const { characters, fit } = error.details ?? {};
    if (typeof characters === 'number' && typeof fit === 'number')
      return { what: this.t.ask.tooLong(characters, fit), remedy: this.t.ask.shorten };
    const { what, remedy } = this.t.errors[error.code];
    const name = error.details?.['name'] ?? error.details?.['path'] ?? error.details?.['pack'];
    return { what: name === undefined ? what : `${name}: ${what}`, remedy };
  }

  /** The same for anything thrown. */
  caught(thrown: unknown): { what: string; remedy: string } {
    return this.sentence(CallError.from(thrown));
  }
}
