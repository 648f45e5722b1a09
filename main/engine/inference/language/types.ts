/** What a pack that captions or answers offers, whatever its family: words about one photo, streamed, stoppable. */

/** A photo to look at: a file on disk, or the bytes of one. Decoded upright, as the pack's preprocessing says. */
export type Picture = { readonly path: string } | { readonly bytes: Uint8Array; readonly name: string };

export interface LanguageRequest {
  readonly signal?: AbortSignal | undefined;
  /** Hears the whole text so far after each token. */
  readonly onText?: ((text: string) => void) | undefined;
  /** True for work that nobody waits for: it lets every other request go first. */
  readonly background?: boolean | undefined;
}

export interface WrittenText {
  /** As the model wrote it, trimmed; empty when `sure` is false. */
  readonly text: string;
  /** False when `confidence` is below what the pack calls "not sure". */
  readonly sure: boolean;
  /** Probability of being right, 0 to 1: calibrated where the pack says how, else exp(mean token log-probability). */
  readonly confidence: number;
}

export interface GivenAnswer extends WrittenText {
  /** Most probable first, at most five. Not emptied when unsure. */
  readonly answers: readonly { readonly answer: string; readonly probability: number }[];
}

export interface Turn {
  readonly question: string;
  readonly answer: string;
}

/**
 * A pack that captions, answers or does both. Its process is started with the first request and one request is
 * worked on at a time, in order; cancelling frees the process within one token.
 */
export interface LanguageModel {
  readonly packId: string;
  readonly name: string;
  /** 32 hex digits over everything that decides its words: what is cached is cached under this. */
  readonly fingerprint: string;
  readonly tasks: readonly ('caption' | 'answer')[];
  /** Whether `turns` mean anything to it. */
  readonly followsTurns: boolean;
  /** Characters of a question or prompt that it can take at all. */
  readonly longestText: number;
  /**
   * @param prompt words that the caption goes on from; they are part of the text returned.
   * @throws AppError image-*, file-*, input-invalid, not-supported, pack-invalid, cancelled, worker-died
   */
  caption(
    picture: Picture,
    options?: LanguageRequest & { readonly prompt?: string | undefined },
  ): Promise<WrittenText>;
  /** @throws AppError as `caption` */
  answer(
    picture: Picture,
    question: string,
    options?: LanguageRequest & { readonly turns?: readonly Turn[] | undefined },
  ): Promise<GivenAnswer>;
  /** Ends the process, which gives its memory back; the next request starts it again. */
  release(): void;
  close(): Promise<void>;
}
