/** What the language process is asked; shared by both ends. */
import type { LanguagePack } from '../../packs/types.ts';
import type { AdapterOptions, LanguagePicture } from './adapter.ts';
import type { Turn } from './types.ts';

export interface LanguageLoad {
  readonly pack: LanguagePack;
  readonly options: AdapterOptions;
}

export interface CaptionJob {
  readonly picture: LanguagePicture;
  readonly prompt: string;
}

export interface AnswerJob {
  readonly picture: LanguagePicture;
  readonly question: string;
  readonly turns: readonly Turn[];
}
