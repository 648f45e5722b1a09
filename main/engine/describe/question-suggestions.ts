/** Questions that make sense for a photo, from what is known of it: its tags, its caption, what it looks like. */
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/types.ts';
import { knownPhoto } from './look-at-photo.ts';

export interface SuggestionOptions {
  readonly store: Store;
  readonly log: Log;
  /** Names of the tags that the photo carries. */
  readonly tagsOf: (photoId: number) => readonly string[];
  /** Zero-shot probabilities of these labels, which add up to 1 or stand each for itself. */
  readonly classify: (
    photoId: number,
    labels: string[],
    signal: AbortSignal,
  ) => Promise<readonly { readonly label: string; readonly probability: number }[]>;
  /** Whether the model in use can be asked anything, not only what it was trained to be asked. */
  readonly isTalkative: () => Promise<boolean>;
}

type Subject = 'people' | 'animal' | 'vehicle' | 'food' | 'room' | 'sport' | 'plant' | 'outdoors' | 'writing';

/** What the photo is compared with. One label a subject; "pattern" takes what none of the others fits. */
const labels: Readonly<Record<Subject | 'pattern', string>> = {
  people: 'people',
  animal: 'an animal',
  vehicle: 'a vehicle',
  food: 'food',
  room: 'a room inside a house',
  sport: 'people playing sport',
  plant: 'a flower',
  outdoors: 'a landscape outdoors',
  writing: 'a page of text',
  pattern: 'an abstract pattern',
};
/** Sure enough that the question is not about something that isn't there. */
const sureEnough = 0.3;

/** Words of captions and tags that say what the photo is of. */
const subjectWords: Readonly<Record<Subject, RegExp>> = {
  people:
    /\b(people|person|man|men|woman|women|child|children|boy|girl|baby|family|crowd|group|portrait|selfie|bride|player)\b/i,
  animal:
    /\b(animal|dog|puppy|cat|kitten|bird|horse|cow|sheep|goat|pig|elephant|bear|zebra|giraffe|lion|tiger|fish|duck|rabbit|monkey|insect|butterfly|snake|frog|pet)s?\b/i,
  vehicle:
    /\b(vehicle|car|bus|truck|lorry|van|train|tram|bicycle|bike|motorcycle|motorbike|boat|ship|plane|aeroplane|airplane|taxi)s?\b/i,
  food: /\b(food|meal|dish|pizza|cake|bread|fruit|vegetable|salad|sandwich|soup|dessert|breakfast|dinner|lunch|drink|coffee)s?\b/i,
  room: /\b(indoors?|room|kitchen|bedroom|bathroom|living room|office|classroom|restaurant|shop)s?\b/i,
  sport:
    /\b(sport|football|soccer|tennis|baseball|basketball|skiing|snowboarding|surfing|skateboarding|golf|hockey|rugby|cricket|swimming|volleyball)s?\b/i,
  plant: /\b(flower|rose|tulip|sunflower|blossom|bouquet|daisy)s?\b/i,
  outdoors:
    /\b(outdoors?|landscape|mountain|beach|sea|lake|river|forest|field|street|city|park|sky|sunset|sunrise|snow|garden|coast|road|desert|hill)s?\b/i,
  writing: /\b(document|text|screenshot|receipt|sign|page|letter|book|newspaper|menu)s?\b/i,
};

/** Things whose colour one may ask for: they have one, and one only. */
const coloured =
  /\b(car|bus|truck|van|train|bicycle|motorcycle|boat|plane|cat|dog|horse|bird|flower|rose|sofa|chair|door|shirt|dress|hat|umbrella)\b/i;

const mostQuestions = 6;

/** @throws AppError not-found */
export async function suggestQuestions(
  options: SuggestionOptions,
  photoId: number,
  signal: AbortSignal,
): Promise<string[]> {
  knownPhoto(options.store, photoId);
  const caption = options.store.captions.get(photoId)?.text ?? '';
  const words = [caption, ...options.tagsOf(photoId)].join(' . ');
  const subjects = new Map<Subject, number>();
  for (const [subject, pattern] of Object.entries(subjectWords) as [Subject, RegExp][])
    if (pattern.test(words)) subjects.set(subject, 1);
  for (const [subject, probability] of await looks(options, photoId, signal))
    if (probability >= sureEnough) subjects.set(subject, Math.max(probability, subjects.get(subject) ?? 0));

  const has = (subject: Subject): boolean => subjects.has(subject);
  const thing = coloured.exec(words)?.[0].toLowerCase();
  const talkative = await unless(
    false,
    'Asking the model what it can be asked',
    options.log,
    options.isTalkative,
  );
  const questions = [
    has('writing') && talkative ? 'What does the text say?' : undefined,
    'What is this?',
    talkative ? 'What is happening here?' : undefined,
    has('animal') ? 'What animal is it?' : undefined,
    has('people') || has('sport') ? 'How many people are there?' : undefined,
    has('sport') ? 'Which sport is it?' : undefined,
    has('food') ? 'What food is this?' : undefined,
    has('vehicle') ? 'What kind of vehicle is it?' : undefined,
    thing === undefined ? undefined : `What colour is the ${thing}?`,
    has('plant') && thing === undefined ? 'What colour is the flower?' : undefined,
    has('room') && !has('outdoors') ? 'What room is this?' : undefined,
    has('writing') ? undefined : 'Is it indoors or outdoors?',
    has('outdoors') && !has('room') ? 'What is the weather like?' : undefined,
    has('outdoors') && !has('people') ? 'Is there a person?' : undefined,
  ].filter((question) => question !== undefined);
  return questions.slice(0, mostQuestions);
}

/** By its looks; a photo that is not indexed, or a library without its pack, has none to go by. */
async function looks(
  { classify, log }: SuggestionOptions,
  photoId: number,
  signal: AbortSignal,
): Promise<[Subject, number][]> {
  const found = await unless([], 'Looking at the photo', log, () =>
    classify(photoId, Object.values(labels), signal),
  );
  return (Object.keys(subjectWords) as Subject[]).map((subject) => [
    subject,
    found.find(({ label }) => label === labels[subject])?.probability ?? 0,
  ]);
}

/** Suggestions are made of what is to be had; what is not is said when it is asked for by itself. */
async function unless<T>(otherwise: T, about: string, log: Log, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = AppError.from(thrown, about);
    if (error.code === 'cancelled' || error.code === 'engine-stopped') throw error;
    log.debug('questions are suggested without it', { about, message: error.message });
    return otherwise;
  }
}
