/** What a family of models is to the language process: opened once, then asked for words about decoded pictures. */
import type { LanguagePack } from '../../packs/types.ts';
import type { Turn } from './types.ts';

/** A photo as the decoder process gave it for the pack's image spec. */
export interface LanguagePicture {
  /** (height, width, 3) uint8 RGB, resized as the spec says and not yet normalised. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

export interface Hooks {
  /** Hears the whole text so far, prompt included, after each token. */
  readonly onText: (text: string) => void;
  /**
   * Asked before each token. True when the request was cancelled: stop at once and throw `cancelled()`. It can only turn true while the message loop runs: await something (`nextTurn` of token-steps.ts) between tokens.
   */
  readonly shouldStop: () => boolean;
}

export interface Written {
  /** Trimmed, without special tokens; a caption begins with its prompt. */
  readonly text: string;
  /** Mean natural log-probability of the generated tokens, the end token included. */
  readonly logProbability: number;
  /** Ids that were generated, prompt and end token left out; for self-tests. */
  readonly ids: readonly number[];
}

export interface Answered extends Written {
  /** Most probable first; one at least. */
  readonly answers: readonly { readonly answer: string; readonly probability: number }[];
}

/** A model, loaded. One request at a time. */
export interface Adapter {
  /** @throws AppError input-invalid for a prompt that doesn't fit, cancelled, pack-invalid */
  caption?(picture: LanguagePicture, prompt: string, hooks: Hooks): Promise<Written>;
  /** @throws AppError as `caption` */
  answer?(
    picture: LanguagePicture,
    question: string,
    turns: readonly Turn[],
    hooks: Hooks,
  ): Promise<Answered>;
}

export interface AdapterOptions {
  /** For operators. */
  readonly threads: number;
  /** The vision model of another pack that this one sees through, checked to be the recorded one. */
  readonly imageTower: {
    readonly pack: { readonly id: string; readonly name: string; readonly dir: string };
    /** Absolute path. */
    readonly file: string;
    readonly input: string;
    /** Gives an embedding for each cell of a grid over the picture. */
    readonly patchOutput: string;
  } | null;
  /** How pixels are normalised: the pack's own spec, or that of the pack of the image tower. */
  readonly normalise: {
    readonly rescale: number;
    readonly mean: readonly [number, number, number];
    readonly std: readonly [number, number, number];
  };
  /** False computes every token from the beginning again, for measuring what the cache gains. */
  readonly cache: boolean;
}

/** @throws AppError pack-invalid, naming the file and what of it doesn't fit */
export type OpenAdapter = (pack: LanguagePack, options: AdapterOptions) => Promise<Adapter>;
