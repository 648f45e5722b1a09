/** What the tags room needs of the others, and what it offers the engine. */
import type { CallOutput, ParsedInput, PhotoTag, Tag } from '../../contract.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import type { SearchModel } from './types.ts';

/** Timers as the engine has them: `after` returns a function that cancels. */
export interface Delays {
  after(delayMs: number, run: () => void): () => void;
}

export interface TagsOptions {
  readonly store: Store;
  readonly log: Log;
  readonly timers: Delays;
  /** As SearchOptions.model. @throws AppError pack-missing, pack-unfit */
  readonly model: () => Promise<SearchModel>;
  /** Tags photos by itself soon after something changed; a command line says false and calls `settled`. */
  readonly background: boolean;
  /** The list or the counts changed: for the event `tags`. Called often, thin it. */
  readonly onTags: () => void;
  /** These photos' tags changed: for the event `described`, and smart albums look again. */
  readonly onTagged: (photoIds: readonly number[]) => void;
}

export interface Tags {
  list(): Tag[];
  /** @throws AppError input-invalid (an empty name, one that is taken), not-found */
  set(input: ParsedInput<'tags.set'>, signal?: AbortSignal): Promise<Tag>;
  /** @throws AppError not-found */
  remove(tagId: number): Promise<void>;
  restore(signal?: AbortSignal): Promise<Tag[]>;
  /** Tags that the photo carries, most probable first: what is stored, without the model. */
  shown(photoId: number): PhotoTag[];
  /** Every tag, most probable first, carried or not. @throws AppError not-found, pack-missing */
  ofPhoto(photoId: number, signal?: AbortSignal): Promise<CallOutput<'tags.ofPhoto'>>;
  /** Photos were indexed or removed, or the pack was changed: tags what has none yet, soon. */
  changed(): void;
  /** Resolves when every photo carries the tags that it should. @throws AppError as `model`, cancelled */
  settled(signal?: AbortSignal): Promise<void>;
  /** Stops what runs in the background; what it wrote stays, and the next start goes on. */
  close(): Promise<void>;
}
