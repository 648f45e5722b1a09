/** What a shell needs of the engine: the contract's calls and events, and the few things that never reach a page. */
import type { Client } from '../contract.ts';

export interface PhotoFile {
  /** Absolute path of the original. */
  readonly path: string;
  /** Absolute path of the granted root that the photo belongs to. */
  readonly rootPath: string;
  /** As the decoder recognised the bytes when it indexed them, e.g. `image/heic`. */
  readonly mime: string;
}

export interface PhotoSource {
  /** @throws AppError not-found, root-offline */
  photoFile(photoId: number): Promise<PhotoFile>;
  /** @returns WebP bytes. @throws AppError not-found */
  thumbnail(photoId: number): Promise<Uint8Array>;
  /** The photo upright as JPEG, its longer side at most `maxEdge` pixels: for formats that no browser shows. */
  displayImage(photoId: number, maxEdge: number): Promise<Uint8Array>;
}

/** The host's client offers all of it; calls that are `at: 'shell'` are the shell's own. */
export interface EngineAccess extends Client, PhotoSource {
  /** Turns a folder that the person chose into a grant that `roots.add` accepts. */
  grant(path: string): Promise<string>;
}
