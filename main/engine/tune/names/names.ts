/** Names that a person gave to things: kept, checked, and put into queries as what their photos look like. */
import type { TaughtName } from '../../../contract.ts';
import { AppError, type ErrorShape } from '../../../errors.ts';
import type { TaughtQuery, TextSide } from '../../inference/types.ts';
import { queryTerms } from '../../store/query-terms.ts';
import type { NameRow } from '../../store/types.ts';
import { createChecks } from './checks.ts';
import { expectedTogether } from './expected-scores.ts';
import { learnNames, photosEach, sampled, unitSum, type LearntToken } from './name-space.ts';
import { findNames, nameWords, replaceNames, type NamedPlace, type SpokenName } from './name-text.ts';
import type { NamedSpace, Names, NamesOptions, PhotoVectors } from './types.ts';

/** A name as it stands now, read once per change of what is said of photos. */
interface KnownName extends NameRow, SpokenName {
  readonly photoIds: readonly number[];
}

/** What was learnt in one space, and from what. */
interface LearntNames {
  readonly key: string;
  /** Of the library when it was learnt: other photos are what the names are told from. */
  readonly size: number;
  readonly tokens: Promise<ReadonlyMap<number, LearntToken>>;
}

export function createNames(options: NamesOptions): Names {
  const { store, now, log, onNames } = options;
  const learnt = new WeakMap<PhotoVectors, LearntNames>();
  const checks = createChecks({ onChecked: onNames, log });
  let known: { readonly generation: string; readonly names: readonly KnownName[] } | undefined;

  /** Photos come, go and change their bytes, too: then others carry the name. */
  const generation = (): string =>
    `${String(store.words.generation())}.${String(store.embeddings.generation())}`;
  const names = (): readonly KnownName[] => {
    if (known?.generation === generation()) return known.names;
    const read = store.names.list().map((row) => ({
      ...row,
      words: nameWords(row.name),
      photoIds: store.names.photos(row.id),
    }));
    known = { generation: generation(), names: read };
    return read;
  };

  const tokensIn = (space: NamedSpace): LearntNames['tokens'] => {
    const each = photosEach(names().length);
    const examples = names()
      .map(({ id, kind, photoIds }) => ({
        id,
        kind,
        photoIds: sample(withVectors(photoIds, space.index), each),
      }))
      .filter(({ photoIds }) => photoIds.length > 0);
    const { size } = space.index;
    const key = JSON.stringify(
      examples.map(({ id, kind, photoIds }) => [id, kind, photoIds, traceOf(photoIds, space.index)]),
    );
    const before = learnt.get(space.index);
    if (before?.key === key && Math.abs(size - before.size) <= before.size / 10) return before.tokens;
    const startedAt = performance.now();
    const tokens = learnNames(examples, space).then((found) => {
      log.info('names learnt', { names: found.size, ms: Math.round(performance.now() - startedAt) });
      return found;
    });
    // A failure is not remembered.
    tokens.catch(() => learnt.delete(space.index));
    learnt.set(space.index, { key, size, tokens });
    return tokens;
  };

  /** Those of the names in a text that photos stand for. */
  const spokenIn = (text: string, { index }: NamedSpace): { places: NamedPlace[]; named: KnownName[] } => {
    const all = names();
    const byId = new Map(all.map((name) => [name.id, name]));
    const places = findNames(
      text,
      all.filter(({ words }) => words.length > 0),
    ).filter(({ id }) => byId.get(id)?.photoIds.some((photoId) => index.has(photoId)));
    return { places, named: [...new Set(places.map(({ id }) => id))].flatMap((id) => byId.get(id) ?? []) };
  };

  /** A query with names; undefined for others. */
  const compose = async (
    text: string,
    space: NamedSpace,
    signal?: AbortSignal,
  ): Promise<{ vector: Float32Array; taught: TaughtQuery } | undefined> => {
    const { embedder, index } = space;
    const { places, named } = spokenIn(text, space);
    if (named.length === 0) return undefined;
    const plain = replaceNames(text, places, (id) => named.find((name) => name.id === id)?.kind ?? '');
    const rest = replaceNames(text, places, () => '');
    const [words, learntTokens] = await Promise.all([
      // What is left of "a photo of Rex" says nothing, and would be embedded as if it did.
      queryTerms(plain).length === 0 ? null : embedder.embedQuery(plain, signal),
      tokensIn(space),
    ]);
    signal?.throwIfAborted();
    const tokens = named.flatMap(({ id }) => learntTokens.get(id) ?? []);
    const [first, ...more] = tokens;
    if (first === undefined) return undefined;
    const token = more.reduce(
      (sum, { vector }) => sum.map((value, d) => value + (vector[d] ?? 0)),
      first.vector,
    );
    const nothingElse = queryTerms(rest).length === 0;
    if (nothingElse && more.length === 0) {
      const photoIds = named[0]?.photoIds ?? [];
      return { vector: unitSum(words, token), taught: { ...first.alone, photoIds } };
    }
    const sum = words === null ? token : token.map((value, d) => value + (words[d] ?? 0));
    const length = Math.hypot(...sum);
    const expected = expectedTogether(
      tokens.map((each) => each.token),
      words === null ? null : index.sampleScores(words, sampled),
    );
    const carrying = named.map(({ photoIds }) => new Set(photoIds));
    return {
      vector: unitSum(words, token),
      taught: {
        strongAt: expected.strongAt / length,
        likelyAt: expected.likelyAt / length,
        // Both are in the photo of which both were said.
        photoIds: nothingElse
          ? (named[0]?.photoIds ?? []).filter((id) => carrying.every((ids) => ids.has(id)))
          : [],
      },
    };
  };

  const describe = (row: KnownName, space = options.current()): TaughtName => {
    return {
      id: row.id,
      name: row.name,
      kind: row.kind,
      photos: row.photos,
      examples: row.photoIds.slice(-mostShown),
      createdAt: row.createdAt,
      check: space === undefined ? null : checks.of(row, space),
      problem: problemOf(row, space?.index),
    };
  };
  const read = (nameId: number): KnownName => {
    const found = names().find(({ id }) => id === nameId);
    if (found === undefined)
      throw new AppError('not-found', 'The name is not there any more.', { details: { nameId } });
    return found;
  };
  /** With its check. A name is kept whether or not the pack can be loaded, which tells of its failure itself. */
  const described = async (nameId: number): Promise<TaughtName> => {
    const space = options.current() ?? (await options.model().catch(() => undefined));
    if (space !== undefined) await checks.settled(read(nameId), space);
    return describe(read(nameId), space);
  };

  return {
    list: () => names().map((name) => describe(name)),
    async teach({ name, kind, photoIds }, signal) {
      const said = validName(name);
      const wanted = [...new Set(photoIds)];
      const found = store.photos.getMany(wanted);
      if (found.length < wanted.length)
        throw new AppError(
          'not-found',
          `${String(wanted.length - found.length)} of the photos are not in the library any more. Choose others.`,
        );
      const unread = found.filter(({ hash, metadata }) => hash === null || metadata === null).length;
      if (unread > 0)
        throw new AppError(
          'input-invalid',
          `${String(unread)} of the photos have not been looked at: they are not indexed yet, or cannot be read. Index them first, or choose others that show ${said}.`,
        );
      signal?.throwIfAborted();
      const before = store.names.find(said);
      if (wanted.length === 0 && (before === undefined || before.photos === 0))
        throw new AppError('input-invalid', `Choose at least one photo that shows ${said}.`);
      const row = before ?? store.names.add({ name: said, kind: validKind(kind), createdAt: now() });
      if (before !== undefined && kind !== undefined) store.names.update(row.id, { kind: validKind(kind) });
      if (wanted.length > 0) store.names.put(row.id, wanted);
      onNames();
      return described(row.id);
    },
    update({ nameId, name, kind }) {
      store.names.update(nameId, {
        ...(name === undefined ? {} : { name: validName(name) }),
        ...(kind === undefined ? {} : { kind: validKind(kind) }),
      });
      onNames();
      return described(nameId);
    },
    photos: (nameId) => [...read(nameId).photoIds],
    take(nameId, photoIds) {
      store.names.take(nameId, photoIds);
      onNames();
      return described(nameId);
    },
    remove(nameId) {
      read(nameId);
      store.names.remove(nameId);
      onNames();
    },
    withNames(space) {
      const { embedder } = space;
      const side: TextSide = {
        fingerprint: embedder.fingerprint,
        packId: embedder.packId,
        dims: embedder.dims,
        scoring: embedder.scoring,
        embedTexts: (texts, signal) => embedder.embedTexts(texts, signal),
        embedQuery: async (text, signal) =>
          (await compose(text, space, signal))?.vector ?? embedder.embedQuery(text, signal),
        taught: async (text, signal) => (await compose(text, space, signal))?.taught,
      };
      return { ...space, embedder: side };
    },
    changed() {
      // As known before: with each batch of photos that is indexed all would be read again.
      if (known === undefined || known.names.length > 0) onNames();
    },
    close: () => checks.close(),
  };
}

/** Photos that are shown for a name. */
const mostShown = 12;

function validName(name: string): string {
  const said = name.trim().replaceAll(/\s+/gu, ' ');
  if (said === '')
    throw new AppError('input-invalid', 'A name is missing. Write what the photos show, e.g. Rex.');
  if (nameWords(said).length === 0)
    throw new AppError(
      'input-invalid',
      `"${said}" has no letter or digit, so that no search could ask for it. Choose another name.`,
      { details: { name: said } },
    );
  return said;
}

function validKind(kind: string | null | undefined): string | null {
  const said = kind?.trim().replaceAll(/\s+/gu, ' ') ?? '';
  return said === '' ? null : said;
}

function problemOf({ name, photoIds }: KnownName, index: PhotoVectors | undefined): ErrorShape | null {
  if (photoIds.length === 0)
    return {
      code: 'not-found',
      message: `No photo of ${name} is in the library any more, so that it is searched for as a plain word. Add photos to it, or forget the name.`,
      details: { name },
    };
  if (index !== undefined && !photoIds.some((id) => index.has(id)))
    return {
      code: 'not-found',
      message: `The photos of ${name} have not been looked at with this model yet. It can be searched for when they are indexed.`,
      details: { name },
    };
  return null;
}

const withVectors = (photoIds: readonly number[], index: PhotoVectors): number[] =>
  photoIds.filter((id) => index.has(id));

/** Spread evenly over all of them. */
function sample(photoIds: readonly number[], most: number): readonly number[] {
  if (photoIds.length <= most) return photoIds;
  return Array.from({ length: most }, (_, i) => photoIds[Math.floor((i * photoIds.length) / most)] ?? 0);
}

/** A number that is another when the photos' vectors are: an edited photo keeps its id. */
function traceOf(photoIds: readonly number[], index: PhotoVectors): number {
  let trace = 0;
  for (const id of photoIds) {
    const vector = index.vector(id);
    for (let d = 0; d < 8; d++) trace = (trace * 1.618 + (vector?.[d] ?? 0)) % 1e6;
  }
  return trace;
}
