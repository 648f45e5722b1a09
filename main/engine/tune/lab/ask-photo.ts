/** The photo that the table asks about, and the five captions that are offered for it. */
import { randomOf } from '../seeded.ts';
import { studyCaptions, studyRightCaption } from './study-figures.ts';
import type { LabPairs } from './tokens.ts';

const aboutCat = /\b(?:cats?|kittens?)\b/i;
/** As many captions as the study offered. */
const offered = studyCaptions.length;

export interface AskedPhoto {
  /** Row of the photo. */
  readonly photo: number;
  /** Rows of captions. */
  readonly captions: readonly number[];
  /** Place of the right one among them. */
  readonly right: number;
}

/**
 * A photo of a cat gets the study's five sentences; any other its own caption and four of other photos kept aside.
 * @param heldOut photos that differ, each with one caption.
 * @param texts the captions by row.
 * @param studyRows the rows of `studyCaptions`.
 * @param wanted row of the photo asked for; without it a cat is taken if there is one, else the first that was drawn.
 */
export function askPhoto(
  { photos, captions }: LabPairs,
  texts: readonly string[],
  studyRows: readonly number[],
  { wanted, seed }: { readonly wanted: number | undefined; readonly seed: number },
): AskedPhoto {
  const ofCat = (place: number): boolean => aboutCat.test(texts[captions[place] ?? -1] ?? '');
  const places = [...photos.keys()];
  const place = Math.max(
    0,
    wanted === undefined ? places.findIndex(ofCat) : places.findIndex((i) => photos[i] === wanted),
  );
  const photo = photos[place] ?? 0;
  if (ofCat(place)) return { photo, captions: studyRows, right: studyRightCaption };
  const random = randomOf(seed, 'sample');
  const own = captions[place] ?? 0;
  const others = captions
    .filter((caption) => texts[caption] !== texts[own])
    .map((caption) => ({ caption, at: random() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, offered - 1)
    .map(({ caption }) => caption);
  const right = Math.floor(random() * (others.length + 1));
  return { photo, captions: others.toSpliced(right, 0, own), right };
}
