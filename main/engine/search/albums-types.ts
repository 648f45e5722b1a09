/** What the albums room needs of the others, and what it offers the engine. */
import type { Album, Chip, ParsedInput, SmartQuery } from '../../contract.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import type { Delays } from './tags-types.ts';

export interface AlbumsOptions {
  readonly store: Store;
  readonly log: Log;
  readonly timers: Delays;
  readonly now: () => number;
  /** Every photo at or above the query's band, best first. @throws AppError not-found, pack-missing, cancelled */
  readonly find: (query: SmartQuery, signal: AbortSignal) => Promise<readonly number[]>;
  /** The parts of a query, with what is wrong with them. */
  readonly parse: (text: string) => readonly Chip[];
  /** Follows the library by itself soon after something changed; a command line says false. */
  readonly background: boolean;
  /** For the event `albums`. Called often, thin it. */
  readonly onAlbums: () => void;
  /** These photos are in other albums than before: for the event `described`. */
  readonly onMembers: (photoIds: readonly number[]) => void;
}

export interface Albums {
  list(signal?: AbortSignal): Promise<Album[]>;
  /** The list as it stands, for the event. */
  current(): Album[];
  /** @throws AppError input-invalid (no name, one that is taken, a query that says nothing), not-found, pack-missing */
  create(input: ParsedInput<'albums.create'>, signal?: AbortSignal): Promise<Album>;
  /** @throws AppError as `create` */
  update(input: ParsedInput<'albums.update'>, signal?: AbortSignal): Promise<Album>;
  remove(albumId: number): void;
  add(albumId: number, photoIds: readonly number[]): Album;
  take(albumId: number, photoIds: readonly number[]): Album;
  /** Ids, newest first. @throws AppError not-found */
  photos(albumId: number, signal?: AbortSignal): Promise<number[]>;
  /** Photos came or went, their captions or tags changed, or the pack did: smart albums look again, soon. */
  changed(): void;
  /** Resolves when every smart album holds what its query finds, or says why it cannot. @throws AppError cancelled */
  settled(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
