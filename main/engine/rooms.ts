/** The open rooms of one engine, as its handlers share them. */
import type { EventPayload } from '../contract.ts';
import type { Describing } from './describing.ts';
import type { Decoder } from './inference/types.ts';
import type { EventBus } from './event-bus.ts';
import type { Grants } from './grants.ts';
import type { LanguageKeeper } from './language-keeper.ts';
import type { Learning } from './learning-rooms.ts';
import type { Library } from './library/types.ts';
import type { Log } from './log.ts';
import type { ModelKeeper } from './model-keeper.ts';
import type { PackShelf } from './pack-shelf.ts';
import type { PackSwitch } from './pack-switch.ts';
import type { Albums } from './search/albums-types.ts';
import type { Tags } from './search/tags-types.ts';
import type { Search } from './search/types.ts';
import type { Store } from './store/types.ts';
import type { Names } from './tune/names/types.ts';
import type { Tuning } from './tuning.ts';

export interface Rooms {
  readonly directory: string;
  readonly store: Store;
  readonly library: Library;
  readonly decoder: Decoder;
  readonly models: ModelKeeper;
  readonly packs: PackShelf;
  readonly language: LanguageKeeper;
  readonly search: Search;
  readonly describing: Describing;
  readonly learning: Learning;
  readonly tuning: Tuning;
  readonly tags: Tags;
  readonly albums: Albums;
  readonly names: Names;
  readonly bus: EventBus;
  readonly grants: Grants;
  readonly log: Log;
  readonly now: () => number;
  readonly notice: (notice: EventPayload<'notice'>) => void;
  readonly packSwitch: PackSwitch;
  /** Indexes in the background what is pending, and tells of failures by notice. */
  readonly indexSoon: (rootIds?: readonly number[]) => void;
  /** Applies the settings that the rooms act on. */
  readonly applySettings: () => Promise<void>;
}
