/** What the store keeps of what is said about photos: captions, answers, tags, albums and their words. */

export interface CaptionRow {
  readonly photoId: number;
  /** Empty when the model was not sure enough. */
  readonly text: string;
  readonly by: 'hand' | 'model';
  readonly sure: boolean;
  /** Null by hand. */
  readonly confidence: number | null;
  readonly packId: string | null;
  readonly fingerprint: string | null;
  readonly at: number;
}

/** A model's caption of one photo, to be stored. */
export interface ModelCaption {
  readonly photoId: number;
  /** The bytes that were looked at; the photo's present ones when left out. */
  readonly hash?: string | undefined;
  readonly packId: string;
  readonly fingerprint: string;
  readonly text: string;
  readonly sure: boolean;
  readonly confidence: number;
  readonly at: number;
}

/**
 * Captions by hand go before those of models. Both follow a photo's bytes to copies, over moves and back from a
 * removal; one by hand also stays when the file itself is edited.
 */
export interface CaptionTable {
  /** The caption that is shown: by hand, else the newest of a model. */
  get(photoId: number): CaptionRow | undefined;
  getMany(photoIds: readonly number[]): ReadonlyMap<number, CaptionRow>;
  /** Captions by hand of indexed photos, in id order; copies of the same bytes once each. */
  byHand(): { photoId: number; text: string; at: number }[];
  /** What this very model said of the photo's present bytes. */
  ofModel(photoId: number, fingerprint: string): CaptionRow | undefined;
  /** One transaction; the words can be found at once. Photos that are gone by now are left out. */
  putModel(rows: readonly ModelCaption[]): void;
  /** Empty text takes the caption by hand away. @throws AppError not-found */
  setHand(photoId: number, text: string, at: number): void;
  /** Indexed photos on online roots that this model has not captioned and nobody by hand, in id order. */
  without(fingerprint: string, options: { limit: number; afterId?: number }): number[];
  countWithout(fingerprint: string): number;
  /** Indexed photos, and how many of them any model or hand has looked at. */
  counts(): { total: number; captioned: number };
}

export interface AnswerRow {
  readonly question: string;
  readonly answer: string;
  readonly sure: boolean;
  readonly confidence: number;
  readonly answers: readonly { readonly answer: string; readonly probability: number }[];
  readonly packId: string;
  readonly at: number;
}

/** Answers are kept by the photo's bytes, the pack's fingerprint and the question with what was said before. */
export interface AnswerTable {
  /** @param key the question as normalised by the caller, with its turns. */
  find(photoId: number, fingerprint: string, key: string): AnswerRow | undefined;
  put(photoId: number, fingerprint: string, key: string, row: AnswerRow): void;
  /** Of any pack, oldest first. */
  history(photoId: number): AnswerRow[];
  forget(photoId: number): void;
}

export interface TagRow {
  readonly id: number;
  readonly name: string;
  readonly prompts: readonly string[];
}

export interface TagTable {
  list(): TagRow[];
  /** Whether a tag has this name; case doesn't count. */
  has(name: string): boolean;
  /** Makes a tag without id, changes it with one. @throws AppError input-invalid for a name taken, not-found */
  set(tag: { id?: number | undefined; name: string; prompts: readonly string[] }): TagRow;
  remove(id: number): void;
  /** Photos' tags of one model, replacing what these photos had of it; one transaction; words can be found at once. */
  assign(
    modelId: number,
    photos: readonly { photoId: number; tags: readonly { tagId: number; probability: number }[] }[],
  ): void;
  /** Forgets all assignments of a tag (its prompts changed), or of all tags. */
  clear(tagId?: number): void;
  ofPhoto(modelId: number, photoId: number): { tagId: number; name: string; probability: number }[];
  counts(modelId: number): ReadonlyMap<number, number>;
  /** Ids of photos that carry the tag, ascending. */
  photos(modelId: number, tagId: number): number[];
  /** Photos of this model whose tags were never computed or whose vector changed since, in id order. */
  untagged(modelId: number, options: { limit: number; afterId?: number }): number[];
}

export interface AlbumRow {
  readonly id: number;
  readonly name: string;
  readonly kind: 'plain' | 'smart';
  /** JSON of the contract's SmartQuery, parsed by the caller; null for plain albums. */
  readonly query: unknown;
  readonly cover: number | null;
  readonly photos: number;
  readonly createdAt: number;
}

export interface AlbumTable {
  list(): AlbumRow[];
  /** Whether an album has this name; case doesn't count. */
  has(name: string): boolean;
  get(id: number): AlbumRow | undefined;
  add(album: { name: string; query: unknown; createdAt: number }): AlbumRow;
  /** @throws AppError not-found */
  update(id: number, change: { name?: string; query?: unknown; cover?: number | null }): AlbumRow;
  remove(id: number): void;
  /** What a smart album's query found: replaces what an earlier query found; put in and taken out by hand stay so. */
  setFound(id: number, photoIds: readonly number[]): boolean;
  /** By hand, in or out. Membership follows a photo's bytes over removal and return. */
  put(id: number, photoIds: readonly number[]): void;
  take(id: number, photoIds: readonly number[]): void;
  /** Ids, newest first. */
  photos(id: number): number[];
  /** Albums that a photo is in. */
  ofPhoto(photoId: number): { id: number; name: string }[];
}

/** Where a word stands: in a caption by hand or of a model, in a tag's name or a file's. */
export type WordPlace = 'hand' | 'caption' | 'tag' | 'name';

export interface WordHit {
  readonly photoId: number;
  /** Share of the query's information (the idf of its words) that the photo holds; 1 when it holds every word. */
  readonly score: number;
  /** How many of the query's `terms` the photo holds. */
  readonly matched: number;
  /** Where it holds them; never empty. */
  readonly places: readonly WordPlace[];
  /** Whether a caption by hand alone holds every word. */
  readonly byHand: boolean;
}

/** The full-text index over captions, tags and file names. Folded: case and accents don't count. */
export interface WordTable {
  /**
   * Photos that hold all words of the query, or its rare ones; best first. Words that every photo could have (the, of,
   * photo) don't count. Words are matched by stem; Chinese and Japanese by characters. Any text is safe: nothing in it
   * is an operator.
   * @param options.nearest where to look for words that one photo in twenty has: beyond these photos they say too little
   *   to be worth collecting. Left out, they are looked for everywhere.
   * @returns terms: how many words of the query count; weight: how much they tell photos apart, 0 to 1.
   */
  search(
    text: string,
    options: {
      limit: number;
      allowed?: ReadonlySet<number> | undefined;
      nearest?: ReadonlySet<number> | undefined;
    },
  ): { terms: number; weight: number; hits: WordHit[] };
  /**
   * Photos in whose caption, tags, file name or folders exactly these words stand in this order, ascending ids; none
   * for a phrase without words.
   */
  phrase(phrase: string): number[];
  /** What the index holds of a photo. */
  of(photoId: number): { caption: string; tags: readonly string[]; name: string } | undefined;
  /** The query's words that one photo holds, and the text that each stands in. */
  hitsOf(text: string, photoId: number): { word: string; where: 'caption' | 'tag' | 'name'; text: string }[];
  /** Whether any photo has a caption or a tag. */
  described(): boolean;
  /** Increases when captions, tags or albums change; vectors and graphs don't depend on it. */
  generation(): number;
}
