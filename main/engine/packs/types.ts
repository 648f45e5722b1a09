/** A model pack as the other rooms see it: what its files are and how to use them. */

/** What preprocessing needs of a pack. */
export interface ImageSpec {
  readonly resize:
    | {
        readonly shortestEdge: number;
        /** Caps the longer side, which may leave the shorter one below `shortestEdge`. */
        readonly longestEdge?: number;
        /** Both sides are cut down to multiples of this. */
        readonly multipleOf?: number;
      }
    | { readonly width: number; readonly height: number }
    /** The longer side to this, then both up to multiples of `tile`: Idefics 3 cuts pictures into squares. */
    | { readonly longestEdge: number; readonly tile: number }
    | null;
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
  /** Embeddings of the cells of `grid` (columns, rows), left to right and top to bottom, in the space of the texts. */
  readonly patchOutput: string | null;
  readonly grid: readonly [number, number] | null;
}

export interface TextTower {
  /** Absolute path; the same as the image tower's for a combined export. */
  readonly file: string;
  readonly inputIds: string | null;
  readonly attentionMask: string | null;
  readonly output: string | null;
  /** An embedding for each token, in the space of the photos; null where the model gives none. */
  readonly tokenOutput: string | null;
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

interface PackBase {
  /** Absolute path of the folder. */
  readonly dir: string;
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly description: string;
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
  /** As published, or as measured by our own recipe. */
  readonly quality: readonly Quality[];
  /** By path relative to `dir`, '/' between parts. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

interface Quality {
  readonly metric: string;
  readonly dataset: string;
  readonly value: number;
  readonly source: string | null;
}

/** A pack that searching uses: photos and texts to vectors of one space. */
export interface EmbedPack extends PackBase {
  readonly kind: 'embed';
  readonly tasks: readonly ['embed'];
  readonly family: PackFamily;
  readonly dims: number;
  /** 32 hex digits over everything that decides an embedding: vectors of equal fingerprints may be compared. */
  readonly fingerprint: string;
  readonly image: ImageTower;
  readonly text: TextTower;
  readonly imageSpec: ImageSpec;
  readonly scoring: Scoring;
  readonly golden: Golden;
  /** Absolute paths of its generic set, for `readGenericSet`; null for packs that ship none. */
  readonly generic: { readonly pairs: string; readonly images: string } | null;
  /** Weights in half precision lose more digits, which the self-test allows for. */
  readonly halfPrecision: boolean;
}

export type LanguageTask = 'caption' | 'answer';

export type LanguageFamily =
  | 'starter-captioner'
  | 'starter-answerer'
  | 'blip-caption'
  | 'blip-vqa'
  | 'vilt'
  | 'vit-gpt2'
  | 'florence2'
  | 'smolvlm';

/** How a decoder writes. */
export interface Generation {
  /** Tokens after the prompt, the end token included. */
  readonly maxNewTokens: number;
  /** 1 is greedy, unless sampling. */
  readonly beams: number;
  /** Scores of finished beams are divided by length ** this: above 0 favours longer ones. */
  readonly lengthPenalty: number;
  /** Ends when there are as many finished texts as beams, rather than when no other can become better. */
  readonly earlyStopping: boolean;
  /** Above 1 makes tokens that are there already less likely (Keskar et al. 2019). */
  readonly repetitionPenalty: number;
  /** No run of this many tokens is written twice; 0 allows it. */
  readonly noRepeatNgram: number;
  /** Null takes the most probable words, the same each time. */
  readonly sampling: Sampling | null;
}

/** Words drawn by chance from the likely ones; the same seed draws the same. */
export interface Sampling {
  readonly temperature: number;
  /** Only this many of the most probable tokens are drawn from; 0 for all. */
  readonly topK: number;
  /** Only the most probable tokens that together have this probability. */
  readonly topP: number;
  readonly seed: number;
}

/** A decoder with past keys and values: one ONNX file for the first step and all others. */
interface DecoderFile {
  /** Absolute path. */
  readonly file: string;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  /** Positions that it knows, prompt and start token included. */
  readonly maxLength: number;
}

/** A pack that writes: captions, answers or both. Paths are absolute; what a family doesn't have is null. */
export interface LanguagePack extends PackBase {
  readonly kind: 'language';
  readonly tasks: readonly LanguageTask[];
  readonly family: LanguageFamily;
  /** 32 hex digits over everything that decides its words. */
  readonly fingerprint: string;
  /** Null where pictures are prepared as the pack of the image tower says, or by the family's own rules. */
  readonly imageSpec: ImageSpec | null;
  /** A vision model of another pack that this one sees through. */
  readonly imageTower: { readonly pack: string; readonly file: string; readonly sha256: string } | null;
  /** Pixels to cross-attention keys and values. */
  readonly encoder: string | null;
  /** Pixels to image states. */
  readonly vision: string | null;
  /** Question and image states to cross-attention keys and values. */
  readonly question: string | null;
  readonly decoder: DecoderFile | null;
  /** Question and picture to a score for each answer. */
  readonly classifier: {
    readonly file: string;
    /** In the order of the scores. */
    readonly answers: readonly string[];
    readonly temperature: number;
  } | null;
  /** Tokens of a question or prompt, special ones included. */
  readonly maxLength: number;
  /** Ids by role: bos, eos, pad and what else the family has. */
  readonly tokens: Readonly<Record<string, number>>;
  readonly generation: Generation;
  /** Probability of being right = sigmoid(slope * x + intercept), x a log-probability; below `notSureBelow` it says so. */
  readonly confidence: {
    readonly slope: number;
    readonly intercept: number;
    readonly notSureBelow: number;
  } | null;
  readonly golden: readonly GoldenWords[];
  readonly tokenizer: string | null;
  readonly tokenizerConfig: string | null;
}

/** A picture with the words that the pack's makers got for it. */
export interface GoldenWords {
  readonly file: string;
  readonly prompt: string | null;
  readonly question: string | null;
  readonly text: string;
  readonly ids: readonly number[] | null;
  readonly confidence: number | null;
}

/** Photos with their texts that a pack ships: what general search is judged by, and kept up with while a head learns. */
export interface GenericSet {
  readonly name: string;
  readonly dims: number;
  /** Judged by them, never trained on; the pack was not trained on them either. */
  readonly judged: GenericPairs;
  readonly replay: GenericPairs;
}

export interface GenericPairs {
  /** (photos, dims) unit rows of the pack's own image side. */
  readonly images: Float32Array;
  /** (pairs,): row of `images`; a photo may have several texts. */
  readonly photos: Int32Array;
  /** (pairs,): to be embedded as they are. */
  readonly texts: readonly string[];
}

export type PackDescription = EmbedPack | LanguagePack;
