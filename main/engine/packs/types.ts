/** A model pack as the other rooms see it: what its files are and how to use them. */

/** What preprocessing needs of a pack. */
export interface ImageSpec {
  readonly resize:
    { readonly shortestEdge: number } | { readonly width: number; readonly height: number } | null;
  readonly crop: { readonly width: number; readonly height: number } | null;
  /** Pillow's numbers: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic. */
  readonly resample: 0 | 1 | 2 | 3;
  readonly rescale: number;
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** How cosines of this pack become probabilities, and the templates that its texts are put into. */
export interface Scoring {
  readonly kind: 'softmax' | 'sigmoid';
  /** Multiplies the cosine. */
  readonly logitScale: number;
  readonly logitBias: number;
  readonly promptTemplates: readonly string[];
  readonly queryTemplates: readonly string[];
  /** Cosines of non-matching (text, image) pairs on the pack's own validation photos; null when not measured. */
  readonly background: { readonly mean: number; readonly std: number } | null;
  /** The same of pairs that do match; null or left out when not measured. */
  readonly matching?: { readonly mean: number; readonly std: number } | null;
}

export type PackFamily = 'clip' | 'siglip' | 'siglip2';

/** Names are null where the pack doesn't say: the worker finds them in the model. */
interface ImageTower {
  /** Absolute path of the ONNX file. */
  readonly file: string;
  readonly input: string | null;
  readonly output: string | null;
}

export interface TextTower {
  /** Absolute path; the same as the image tower's for a combined export. */
  readonly file: string;
  readonly inputIds: string | null;
  readonly attentionMask: string | null;
  readonly output: string | null;
  /** Tokens, special ones included. */
  readonly maxLength: number;
  /** SigLIP was trained with every text padded to the full length, CLIP pools at the end token. */
  readonly padding: 'longest' | 'max';
  readonly lowercase: boolean;
  readonly stripPunctuation: boolean;
  /** Absolute paths. */
  readonly tokenizer: string;
  readonly tokenizerConfig: string | null;
}

/** Inputs with the embeddings that the pack's makers got for them. */
interface Golden {
  /** Absolute paths of small image files with the embedding each must give. */
  readonly images: readonly { readonly file: string; readonly embedding: readonly number[] }[];
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[] | null;
    readonly embedding: readonly number[];
  }[];
}

export interface PackDescription {
  /** Absolute path of the folder. */
  readonly dir: string;
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly family: PackFamily;
  readonly dims: number;
  /** Of all files of the pack. */
  readonly bytes: number;
  readonly licence: {
    readonly id: string;
    readonly name: string;
    readonly url: string | null;
    readonly note: string | null;
  };
  /** Where it came from, for showing. */
  readonly source: string;
  /** 32 hex digits over everything that decides an embedding: vectors of equal fingerprints may be compared. */
  readonly fingerprint: string;
  readonly image: ImageTower;
  readonly text: TextTower;
  readonly imageSpec: ImageSpec;
  readonly scoring: Scoring;
  readonly golden: Golden;
  /** Weights in half precision lose more digits, which the self-test allows for. */
  readonly halfPrecision: boolean;
  /** By path relative to `dir`, '/' between parts. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}
