/** From what was heard to the pairs that are used: no contradictions, each pair once, weighed, in an order of their own. */
import type { PairSource } from '../../../contract.ts';
import { findAlike, type Alike } from './alike.ts';
import type { PairPhoto, PhotoBook } from './photo-book.ts';
import { stableNumber } from './stable-order.ts';
import type { Heard, Skipped, Statement } from './statements.ts';
import { wordingOf } from './wordings.ts';

export interface DraftPair {
  readonly photo: PairPhoto;
  readonly text: string;
  readonly source: PairSource;
  readonly weight: number;
  /** Equal for texts that say the same. */
  readonly wording: string;
}

export interface Draft {
  readonly pairs: readonly DraftPair[];
  /** How many there would be were there no limit. */
  readonly found: number;
  /** Thumbs down that contradict nothing. */
  readonly against: readonly { readonly photo: PairPhoto; readonly text: string; readonly wording: string }[];
  /** Thumbs up that contradict nothing, also those that another source says as well. */
  readonly thumbsUp: readonly {
    readonly photo: PairPhoto;
    readonly text: string;
    readonly wording: string;
  }[];
  /** Thumbs left out because the opposite was said of the same photo or a near-duplicate. */
  readonly contradictions: number;
  readonly skipped: readonly Skipped[];
  /** By key; all photos that were spoken of and have a vector, or may get one. */
  readonly groupOf: ReadonlyMap<string, number>;
  readonly kinOf: ReadonlyMap<string, number>;
}

const yearMs = 365.25 * 24 * 3_600_000;
/** What was said a year before the latest counts half, and never less than this. */
const leastRecency = 0.3;
/** Pairs of one wording count like this many together at the most: an album of 900 is not 900 captions. */
const mostPerWording = 30;
/** 50,000 pairs of 768 dims fill 300 MB. */
const mostPairs = 50_000;

/** @param now nothing was said later. @throws AbortError when the signal fires */
export async function draftPairs(
  heard: Heard,
  book: PhotoBook,
  {
    now,
    seed,
    signal,
  }: { readonly now: number; readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<Draft> {
  const skipped: Skipped[] = [...heard.skipped];
  const named = new Set<string>();
  const usable = (statement: Statement): boolean => {
    const vector = book.vector(statement.photo);
    if (typeof vector !== 'string') return true;
    // Of a photo of the library once, of a captions file each line.
    if (statement.line > 0 || !named.has(statement.photo.key))
      skipped.push({ line: statement.line, reason: vector });
    named.add(statement.photo.key);
    return false;
  };
  const said = heard.statements.filter(usable);
  const denied = heard.against.filter(usable);
  const { groupOf, kinOf } = await relate([...said, ...denied], book, signal);

  const opposed = contradicting(said, denied, groupOf);
  const isOpposed = (statement: Statement): boolean =>
    statement.source === 'thumbs' && opposed.has(topicOf(statement, groupOf));
  const kept = said.filter((statement) => !isOpposed(statement));
  const against = denied.filter((statement) => !isOpposed(statement));
  const once = onceEach(kept);
  const withWording = ({ photo, text }: Statement) => ({ photo, text, wording: wordingOf(text) });
  return {
    pairs: weigh(drawn(once, seed), now),
    found: once.length,
    against: against.map(withWording).sort(byKeys),
    thumbsUp: kept
      .filter(({ source }) => source === 'thumbs')
      .map(withWording)
      .sort(byKeys),
    contradictions: said.length + denied.length - kept.length - against.length,
    skipped,
    groupOf,
    kinOf,
  };
}

async function relate(
  statements: readonly Statement[],
  book: PhotoBook,
  signal: AbortSignal | undefined,
): Promise<Record<'groupOf' | 'kinOf', ReadonlyMap<string, number>>> {
  // In the order of their keys, so that numbers don't depend on the order of rows in the store.
  const photos = [...new Map(statements.map(({ photo }) => [photo.key, photo])).values()].sort((a, b) =>
    a.key < b.key ? -1 : 1,
  );
  const alike: Alike = await findAlike(
    photos.map((photo) => {
      const vector = book.vector(photo);
      const { camera, takenAt } = photo;
      return { vector: typeof vector === 'string' ? undefined : vector, camera, takenAt };
    }),
    signal,
  );
  const numbered = (numbers: Int32Array): Map<string, number> =>
    new Map(photos.map(({ key }, i) => [key, numbers[i] ?? i]));
  return { groupOf: numbered(alike.groups), kinOf: numbered(alike.kin) };
}

/** A photo (or what is as good as it) and a wording. */
function topicOf({ photo, text }: Statement, groupOf: ReadonlyMap<string, number>): string {
  return `${String(groupOf.get(photo.key))} ${wordingOf(text)}`;
}

function contradicting(
  said: readonly Statement[],
  denied: readonly Statement[],
  groupOf: ReadonlyMap<string, number>,
): Set<string> {
  const up = new Set(
    said.filter(({ source }) => source === 'thumbs').map((statement) => topicOf(statement, groupOf)),
  );
  return new Set(denied.map((statement) => topicOf(statement, groupOf)).filter((topic) => up.has(topic)));
}

type Worded = Statement & { readonly wording: string };

/** Of a photo and a wording the statement that counts most, the latest, then the first by its text. */
function onceEach(statements: readonly Statement[]): Worded[] {
  const best = new Map<string, Worded>();
  for (const statement of statements) {
    const wording = wordingOf(statement.text);
    const topic = `${statement.photo.key} ${wording}`;
    const known = best.get(topic);
    if (known === undefined || order(statement, known) < 0) best.set(topic, { ...statement, wording });
  }
  return [...best.values()];
}

function order(a: Statement, b: Statement): number {
  return b.worth - a.worth || (b.at ?? Infinity) - (a.at ?? Infinity) || compare(a.text, b.text);
}

function drawn(statements: readonly Worded[], seed: number): readonly Worded[] {
  if (statements.length <= mostPairs) return statements;
  return statements
    .map((statement) => ({ statement, at: stableNumber(`${statement.photo.key} ${statement.text}`, seed) }))
    .sort((a, b) => a.at - b.at)
    .slice(0, mostPairs)
    .map(({ statement }) => statement);
}

function weigh(statements: readonly Worded[], now: number): DraftPair[] {
  const times = statements.flatMap(({ at }) => (at === null ? [] : [Math.min(at, now)]));
  // From the latest and not from today, so that the same library gives the same bits tomorrow.
  const latest = times.reduce((most, at) => Math.max(most, at), -Infinity);
  const counts = new Map<string, number>();
  for (const { wording } of statements) counts.set(wording, (counts.get(wording) ?? 0) + 1);
  return statements
    .map(({ photo, text, source, wording, worth, at }): DraftPair => {
      const age = at === null ? 0 : latest - Math.min(at, now);
      const recency = Math.max(leastRecency, 0.5 ** (age / yearMs));
      const share = Math.min(1, mostPerWording / (counts.get(wording) ?? 1));
      return { photo, text, source, wording, weight: worth * recency * share };
    })
    .sort(byKeys);
}

interface Keyed {
  readonly photo: PairPhoto;
  readonly text: string;
}

function byKeys(a: Keyed, b: Keyed): number {
  return compare(a.photo.key, b.photo.key) || compare(a.text, b.text);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
