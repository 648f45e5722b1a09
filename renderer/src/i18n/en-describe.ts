/** The English sentences about captions, questions and why a photo matched. */
import type { Formats } from './format.ts';

/** How sure, from a probability of being right. The steps are those at which people would bet differently. */
export type Sureness = 'very' | 'fairly' | 'somewhat' | 'guess';

export const describingInEnglish = (f: Formats, photos: (n: number) => string) => ({
  sure: {
    very: 'very sure',
    fairly: 'fairly sure',
    somewhat: 'not very sure',
    guess: 'a guess',
  } satisfies Record<Sureness, string>,
  howSure: (words: string, share: number) => `${words}, ${f.percent(share)}`,
  caption: {
    title: 'Caption',
    make: 'Describe this photo',
    making: 'Looking at the photo…',
    again: 'Describe it again',
    write: 'Write a caption',
    edit: 'Edit the caption',
    field: 'Caption, in your words',
    placeholder: 'What is in this photo?',
    save: 'Save',
    stop: 'Stop',
    undo: 'Undo',
    byHand: 'written by you',
    byModel: (pack: string) => `by ${pack}`,
    unsure: 'The model is not sure enough to say what this is.',
    none: 'No caption yet.',
    emptyHint: 'Leave it empty to have the model’s own words back.',
    stopped: 'Stopped. The caption is as it was.',
    noModel: 'No model that describes photos is installed.',
    failed: 'The photo could not be described.',
  },
  panel: {
    tags: 'Tags',
    searchTag: (name: string) => `Photos tagged ${name}`,
    albums: 'Albums',
    openAlbum: (name: string) => `Photos in ${name}`,
  },
  why: {
    title: 'Why it matched',
    better: (share: number) => `Closer to the search than ${percentBelow(f, share)} of your photos.`,
    best: 'Closer to the search than any other of your photos.',
    looks: 'Found by what it looks like.',
    words: 'Found by its words.',
    both: 'Found by what it looks like and by its words.',
    histogram: (share: number) =>
      `How all your photos compare with the search; this one is closer than ${percentBelow(f, share)}.`,
    likely: 'likely',
    strong: 'strong',
    word: (word: string) => `“${word}”`,
    inCaption: 'in the caption',
    inTag: (tag: string) => `in the tag “${tag}”`,
    inName: 'in the file name',
    nearest: (tags: string) => `Nearest tags: ${tags}`,
    show: 'Show where',
    hide: 'Hide where',
    showing: 'The photo shows where the search is in it.',
    little: 'little',
    much: 'much',
    nowhere: 'No part of the photo stands out for this search.',
    noWhere: 'There is no “where” for this search: it has no words to look for in the photo.',
    outside: 'The model does not see the dimmed edges.',
    working: 'Comparing with your photos…',
    failed: 'The comparison did not work.',
  },
  ask: {
    title: 'Ask',
    about: 'Ask about this photo',
    field: 'Ask about this photo',
    placeholder: 'Ask about this photo',
    send: 'Ask',
    stop: 'Stop',
    suggestions: 'Questions to try',
    empty: 'Ask what is in the photo, how many there are, what colour something is.',
    thinking: 'Looking…',
    you: 'You asked',
    unsure: 'Not sure.',
    considered: 'It considered',
    others: (n: number) => (n === 1 ? 'One other answer' : `${f.number(n)} other answers`),
    hideOthers: 'Hide the other answers',
    stopped: 'Stopped.',
    again: 'Ask again',
    by: (pack: string, when: string) => `${pack}, ${when}`,
    forget: 'Forget these answers',
    forgetTitle: 'Forget what was asked about this photo?',
    forgetBody: 'The questions and answers kept for this photo go. The photo and its caption stay.',
    forgetAction: 'Forget',
    noModel: 'No model that answers questions is installed.',
    chooseModel: 'Choose a model',
    tooLong: (characters: number, fit: number) =>
      `The question has ${f.number(characters)} characters; this model reads about the first ${f.number(fit)}.`,
    shorten: 'Put it in fewer words.',
    conversation: 'Questions and answers',
    tryAgain: 'Try again',
  },
  askPlace: {
    title: 'Ask your photos',
    intro: 'One question, asked of many photos, with the photos that answer it.',
    lookAt: 'Photos to look at',
    lookAtPlaceholder: 'dogs, beach 2021, birthday…',
    question: 'Question',
    questionPlaceholder: 'Is there a dog on a lead?',
    ask: 'Ask',
    stop: 'Stop',
    sources: {
      query: 'Search words',
      search: (query: string) => `Search: ${query}`,
      likeThis: 'photos like an example',
      selection: (n: number) => `${photos(n)} selected`,
      album: (name: string) => `Album: ${name}`,
    },
    change: 'Look at other photos',
    examples: 'For example',
    pairs: [
      ['dog', 'Is there a dog on a lead?'],
      ['people', 'How many people are there?'],
      ['car', 'What colour is the car?'],
      ['beach', 'Is it sunny?'],
    ] as readonly (readonly [string, string])[],
    finding: 'Finding the photos…',
    progress: (done: number, total: number) => `${f.number(done)} of ${f.number(total)} asked`,
    stopped: (done: number, total: number) => `Stopped after ${f.number(done)} of ${photos(total)}.`,
    yesNo: (yes: number, total: number) =>
      yes === 0
        ? `None of ${photos(total)}.`
        : yes === total
          ? total === 1
            ? 'Yes.'
            : `All ${photos(total)}.`
          : `${f.number(yes)} of ${photos(total)}.`,
    mostly: (answer: string, n: number, total: number) =>
      n === total
        ? `“${answer}”, ${total === 1 ? 'the one photo' : `all ${photos(total)}`}.`
        : `Most often “${answer}”: ${f.number(n)} of ${photos(total)}.`,
    noneSure: (total: number) => `Not sure about any of ${photos(total)}.`,
    noPhotos: 'No photo was found to ask. Try other words.',
    yes: 'Yes',
    no: 'No',
    others: 'Other answers',
    unsure: 'Not sure',
    unsureHint: 'The model had a guess, but would not bet on it.',
    failed: (n: number) => `${photos(n)} could not be asked`,
    answers: 'Answers',
    askThese: 'Ask these photos',
    askSelection: 'Ask about these',
    photo: (name: string, answer: string, sureness: string) => `${name}: ${answer}, ${sureness}`,
    more: (n: number) => `Show ${f.number(n)} more`,
  },
});

/** Never "better than 100 %": that would include the photo itself. */
function percentBelow(f: Formats, share: number): string {
  return f.percent(Math.min(0.99, Math.floor(share * 100) / 100));
}

export type Describing = ReturnType<typeof describingInEnglish>;
