/** What a person said of the photos of the library: thumbs, taught names, captions by hand, albums. */
import type { PairSource } from '../../../contract.ts';
import { drawFromAlbum, saysSomething } from './album-rules.ts';
import type { PhotoBook } from './photo-book.ts';
import type { Heard, Skipped, Statement } from './statements.ts';
import type { GatherOptions } from './types.ts';

/**
 * What a pair counts by its source. A thumb and a caption are about this very photo; a name may be about a part of it;
 * an album's name is true of most of its photos.
 */
const worth: Readonly<Record<Exclude<PairSource, 'file'>, number>> = {
  thumbs: 1,
  captions: 1,
  names: 0.7,
  albums: 0.5,
};
/** What a named thing is in common words: known already, and kept known. */
const kindShare = 0.5;

type LibraryOptions = Pick<GatherOptions, 'store' | 'seed' | 'wordsOfQuery'>;

export function hearLibrary(
  options: LibraryOptions,
  book: PhotoBook,
  sources: ReadonlySet<PairSource>,
): Heard {
  const parts: Heard[] = [];
  if (sources.has('thumbs')) parts.push(hearThumbs(options, book));
  if (sources.has('names')) parts.push(hearNames(options, book));
  if (sources.has('captions')) parts.push(hearCaptions(options, book));
  if (sources.has('albums')) parts.push(hearAlbums(options, book));
  return {
    statements: parts.flatMap(({ statements }) => statements),
    against: parts.flatMap(({ against }) => against),
    skipped: parts.flatMap(({ skipped }) => skipped),
  };
}

function hearThumbs({ store, wordsOfQuery }: LibraryOptions, book: PhotoBook): Heard {
  const rows = store.feedback.list({ offset: 0, limit: 1_000_000 });
  book.lookUp(rows.map(({ photoId }) => photoId));
  const statements: Statement[] = [];
  const against: Statement[] = [];
  const skipped: Skipped[] = [];
  for (const { photoId, text: query, vote, at } of rows) {
    const text = wordsOfQuery(query).trim();
    if (text === '') {
      skipped.push({ line: 0, reason: `The thumb for "${query}" is left out: it has filters and no words.` });
      continue;
    }
    const photo = book.ofId(photoId);
    if (photo === undefined) continue;
    (vote === 'up' ? statements : against).push({
      ...{ source: 'thumbs', text, photo, at, line: 0 },
      worth: worth.thumbs,
    });
  }
  return { statements, against, skipped };
}

function hearNames({ store }: LibraryOptions, book: PhotoBook): Heard {
  const statements: Statement[] = [];
  for (const { id, name, kind, createdAt } of store.names.list()) {
    const ids = store.names.photos(id);
    book.lookUp(ids);
    for (const photoId of ids) {
      const photo = book.ofId(photoId);
      if (photo === undefined) continue;
      const said = { source: 'names', photo, at: createdAt, line: 0 } as const;
      statements.push({ ...said, text: name, worth: worth.names });
      if (kind !== null && kind.trim() !== '')
        statements.push({ ...said, text: kind.trim(), worth: worth.names * kindShare });
    }
  }
  return { statements, against: [], skipped: [] };
}

/** Only by hand: what a model wrote it knows already. */
function hearCaptions({ store }: LibraryOptions, book: PhotoBook): Heard {
  const rows = store.captions.byHand();
  book.lookUp(rows.map(({ photoId }) => photoId));
  return {
    statements: rows.flatMap(({ photoId, text, at }): Statement[] => {
      const photo = book.ofId(photoId);
      return photo === undefined
        ? []
        : [{ source: 'captions', text, photo, at, worth: worth.captions, line: 0 }];
    }),
    against: [],
    skipped: [],
  };
}

/** Plain albums: what a smart one holds, search found. */
function hearAlbums({ store, seed }: LibraryOptions, book: PhotoBook): Heard {
  const statements: Statement[] = [];
  const skipped: Skipped[] = [];
  const { indexed } = store.photos.counts();
  for (const { id, name, kind, createdAt } of store.albums.list()) {
    if (kind !== 'plain') continue;
    const ids = store.albums.photos(id);
    if (ids.length > 0 && !saysSomething(name)) {
      skipped.push({
        line: 0,
        reason: `The album "${name}" is left out: its name doesn't say what is in its photos.`,
      });
      continue;
    }
    book.lookUp(ids);
    const keys = ids.flatMap((photoId) => book.ofId(photoId)?.key ?? []);
    for (const key of drawFromAlbum(keys, indexed, seed)) {
      const photo = book.get(key);
      if (photo !== undefined)
        statements.push({
          ...{ source: 'albums', text: name, photo, at: createdAt, line: 0 },
          worth: worth.albums,
        });
    }
  }
  return { statements, against: [], skipped };
}
