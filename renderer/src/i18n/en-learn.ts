/** The English sentences about thumbs, names that were taught, and what was learnt from both. */
import type { PairSource, SwapProgress, TuneProgress, TuneRun, Vote } from '../../../main/contract.ts';
import type { Formats } from './format.ts';

interface Units {
  readonly f: Formats;
  readonly photos: (n: number) => string;
  readonly duration: (seconds: number) => string;
}

/** Shares are told as so many of a hundred searches: nobody has to know what recall is. */
export const hundred = (share: number): number => Math.round(share * 100);

export const learningInEnglish = ({ f, photos, duration }: Units) => {
  const some = (n: number, one: string, many = `${one}s`): string =>
    `${f.number(n)} ${f.plural(n) === 'one' ? one : many}`;
  const signed = (share: number): string => {
    const points = hundred(share);
    return points < 0 ? `−${f.number(-points)}` : `+${f.number(points)}`;
  };
  return {
    feedback: {
      ask: (query: string) => `Does this fit “${query}”?`,
      up: 'Fits',
      down: 'Does not fit',
      said: { up: 'you said it fits', down: 'you said it does not fit' } satisfies Record<Vote, string>,
      noted: (vote: Vote, query: string) =>
        vote === 'up' ? `Noted: this fits “${query}”.` : `Noted: this does not fit “${query}”.`,
      takenBack: 'The thumb was taken back.',
      keys: { up: 'It fits the search', down: 'It does not fit' },
    },
    names: {
      title: 'Names',
      intro: 'Tell Afterimage who or what something is, and search for it by that name.',
      none: 'No names yet. Open a photo and choose “This is…”, or select a few photos of the same thing.',
      teach: 'This is…',
      teachKey: 'Say who or what this is',
      teachTitle: (n: number) => (n === 1 ? 'Who or what is this?' : `Who or what is in these ${photos(n)}?`),
      name: 'Name',
      namePlaceholder: 'Rex',
      kind: 'What is it? (optional)',
      kindPlaceholder: 'a dog, our house, a red teapot…',
      kindHint: 'A few common words help where the name stands among others in a search.',
      known: 'Names you have taught',
      add: (name: string, n: number) => `Add to ${name}, ${photos(n)}`,
      save: 'Teach',
      six: 'About six photos from different days work best.',
      taught: (name: string, n: number) => `${name}: ${photos(n)}. Search for “${name} on a beach”.`,
      thereAlready: (name: string) => `These photos are “${name}” already.`,
      search: (name: string) => `Search for ${name}`,
      check: (found: number, of: number) => `finds ${f.number(found)} of its ${f.number(of)}`,
      checkHint: 'How many of its photos are found from the others alone.',
      checkFew: 'two or more photos are needed to check it',
      problem: 'Cannot be searched for now.',
      edit: (name: string) => `Change ${name}`,
      editTitle: 'Change this name',
      rename: 'Save',
      taken: 'There is this name already.',
      show: (name: string) => `Photos of ${name}`,
      photosTitle: (name: string, n: number) => `${name}, ${photos(n)}`,
      photosHint: 'Choose those that are something else, and take them out.',
      takeOut: (n: number) => `Take ${photos(n)} out`,
      took: (n: number, name: string) => `${photos(n)} no longer ${n === 1 ? 'is' : 'are'} “${name}”.`,
      forget: (name: string) => `Forget ${name}`,
      forgetTitle: (name: string) => `Forget the name “${name}”?`,
      forgetBody: (n: number) =>
        `Afterimage forgets the name and which ${photos(n)} it was given to. The photos stay.`,
      forgotten: (name: string) => `“${name}” was forgotten.`,
      complete: 'Names',
      inPanel: 'Names',
    },
    teach: {
      title: 'Teach',
      intro: 'Afterimage gets better at finding your photos when you show it what you mean.',
      loop: {
        title: 'Show Afterimage what you mean',
        steps: [
          'Search, and press the thumbs: this fits, this does not.',
          'Give names to whom and what you know: “This is Rex.”',
          'Then let it learn. It is used only if it proves better, and undone with one click.',
        ],
        search: 'Start with a search',
      },
      improve: 'Improve my search',
      uses: 'What it learns from',
      source: {
        thumbs: 'Thumbs',
        names: 'Names',
        captions: 'Captions you wrote',
        albums: 'Albums',
        file: 'Captions file',
      } satisfies Record<PairSource, string>,
      sourceCount: (pairs: number, of: number) =>
        pairs === 0 ? 'none yet' : `${some(pairs, 'example')}, ${photos(of)}`,
      sourceShort: {
        thumbs: (n: number) => some(n, 'thumb'),
        names: (n: number) => `${f.number(n)} with names`,
        captions: (n: number) => some(n, 'caption'),
        albums: (n: number) => `${f.number(n)} in albums`,
        file: (n: number) => `${f.number(n)} from a file`,
      } satisfies Record<PairSource, (n: number) => string>,
      include: (source: string) => `Learn from: ${source}`,
      negatives: (n: number) => `${some(n, 'thumb')} down tell it what does not belong.`,
      contradictions: (n: number) =>
        `${some(n, 'example')} left out: photos that look the same were said to fit and not to fit.`,
      skipped: (n: number) => `${some(n, 'example')} could not be used`,
      skippedLine: (line: number) => `Line ${f.number(line)}`,
      problems: {
        other: 'It cannot learn from this.',
        refused: (why: string) => why,
        sameWords:
          'All examples have the same words, so there is nothing to tell them apart by. Add examples with other words.',
        queries: (more: number) =>
          `This way of learning compares searches with thumbs both up and down. Give thumbs both ways in ${some(more, 'more search', 'more searches')}.`,
        changed:
          'What it was learning from has changed since, so it cannot go on where it was. Throw it away and learn anew.',
      },
      different: (n: number) =>
        `${some(n, 'different photo')}: enough to learn from, and to check what was learned.`,
      enough: (n: number, needed: number) => `${f.number(n)} of ${f.number(needed)} different photos`,
      tooFew: (missing: number) =>
        `${some(missing, 'more different photo')} to go. Photos that look the same count once. Press thumbs on results, teach names, write captions, or put photos into albums.`,
      takes: (seconds: number) =>
        seconds < 60
          ? `Takes about ${some(Math.max(5, Math.ceil(seconds / 5) * 5), 'second')}.`
          : `Takes about ${duration(seconds)}.`,
      meanwhile: 'You can go on searching meanwhile.',
      start: 'Learn now',
      startAgain: 'Learn again',
      file: 'Use a captions file or folder…',
      fileHint: 'A folder with captions.txt or a CSV: a file name and a sentence on each line.',
      fileUsed: (name: string) => `With captions from “${name}”`,
      fileRemove: 'Do not use it',
      counting: 'Counting what there is to learn from…',
      indexing: 'Your photos are still being looked at. What is in already can be learned from.',
      empty: 'There are no photos yet. Add a folder first.',
      readOnly: 'Another Afterimage is writing to this library, so nothing can be taught here.',
      noModel: 'There is no model to teach. Choose one first.',
      running: {
        gathering: 'Gathering your examples',
        training: 'Learning',
        proving: 'Checking whether it is better',
      } satisfies Record<TuneProgress['stage'], string>,
      round: (epoch: number, epochs: number) => `round ${f.number(epoch)} of ${f.number(epochs)}`,
      left: (seconds: number) =>
        seconds < 60
          ? `${some(Math.max(1, Math.round(seconds)), 'second')} left`
          : `${duration(seconds)} left`,
      stop: 'Stop',
      stopping: 'Stopping…',
      showRun: 'Show what is being learned',
      pill: 'Learning',
      wrong: 'How wrong it is',
      wrongHint:
        'Lower is better. Examples kept aside are never learned from; they show whether it understands.',
      found: 'Found among the first ten',
      foundHint: 'Of a hundred examples kept aside. Higher is better.',
      shownLine: 'learned from',
      unseenLine: 'kept aside',
      curveSummary: (name: string, first: string, last: string) => `${name}: from ${first} to ${last}`,
      curveEmpty: 'Nothing to see yet; the first round is under way.',
      stopped: 'Stopped. It can go on where it was.',
      interrupted: 'Afterimage was closed while it learned. It can go on where it was.',
      resume: 'Go on',
      discard: 'Throw away',
      failed: 'Learning did not work.',
      offered: 'Better at finding your photos',
      offeredImported: 'Taken from a file, with the figures that it came with',
      ready: 'Learning is done: your search got better. It waits for you.',
      readyRefused: 'Learning is done, but it did not prove better. Nothing changed.',
      look: 'Look',
      ownResult: (before: number, after: number, low: number | null, high: number | null) =>
        `Found among the first ten: ${f.number(hundred(before))} → ${f.number(hundred(after))} of 100` +
        (low === null || high === null ? '' : ` (between ${signed(low)} and ${signed(high)})`),
      orderGain: (low: number, high: number) =>
        `Thumbs up stand above thumbs down more often (by ${signed(low)} to ${signed(high)} of 100)`,
      generalResult: (before: number, after: number) =>
        `General search: ${f.number(hundred(before))} → ${f.number(hundred(after))}`,
      ownHint: 'Measured on examples of yours that were kept aside.',
      generalHint: 'Everyday searches, so that nothing it knew is forgotten.',
      compare: 'Before and after, on your own searches',
      compareNone:
        'No past searches yet. Open a photo that a search found, and the search is remembered here.',
      comparing: 'Searching both ways…',
      before: 'Before',
      after: 'After',
      movedUp: (n: number) => `${f.number(n)} up`,
      movedDown: (n: number) => `${f.number(n)} down`,
      same: 'the same',
      rank: (rank: number, other: number | null) =>
        other === null
          ? `place ${f.number(rank)}, new here`
          : other === rank
            ? `place ${f.number(rank)}, as before`
            : `place ${f.number(rank)}, was ${f.number(other)}`,
      rankBefore: (rank: number, other: number | null) =>
        other === null
          ? `place ${f.number(rank)}, gone after`
          : `place ${f.number(rank)}, then ${f.number(other)}`,
      use: 'Use it',
      leave: 'Leave it',
      leftAlone: 'Left as it was. You find it under “What was learned”.',
      swapping: {
        projecting: 'Bringing your photos along',
        index: 'Making them searchable',
        swap: 'Changing over',
      } satisfies Record<SwapProgress['stage'], string>,
      swapHint: 'Your photos are not opened again; searching goes on.',
      used: 'Your search uses what was learned.',
      inUse: (date: string) => `In use. Learned on ${date}.`,
      undo: 'Undo',
      undoHint: 'Back to how it was before, in seconds.',
      undoLater: 'You can undo it later with one click.',
      undone: 'Your search is as it was before.',
      refused: 'Not used: it did not prove better',
      because: {
        unsure: 'The difference on your own photos is too small to be sure of.',
        worse: 'It would find your own photos less often than now.',
        forgets: 'Everyday searches would find less than now.',
        other: 'It could not be proved to be better.',
      },
      helps: {
        unsure:
          'What helps: more examples of different photos. Thumbs on searches that went wrong help most.',
        worse: 'What helps: thumbs down on what does not fit, and captions that say what is in the photo.',
        forgets:
          'What helps: more examples on different subjects, so that it does not learn one thing alone.',
        other: 'What helps: more examples of different photos.',
      },
      nothingChanged: 'Nothing has changed.',
      dismiss: 'Good to know',
      history: 'What was learned',
      historyNone: 'Nothing yet. What is learned can be used again, saved to a file or removed here.',
      when: 'When',
      from: 'From',
      result: 'Result',
      stateTitle: 'State',
      state: {
        running: 'under way',
        stopped: 'stopped',
        interrupted: 'interrupted',
        failed: 'failed',
        refused: 'not better',
        offered: 'waits for you',
        declined: 'left',
        active: 'in use',
        retired: 'was in use',
      } satisfies Record<TuneRun['state'], string>,
      pairs: (n: number) => some(n, 'example'),
      useAgain: 'Use again',
      export: 'Save to a folder',
      exported: (path: string) => `Saved as ${path}.`,
      exportHint:
        'What was learned is written as one file that another Afterimage with the same model can take.',
      exportInto: (name: string) => `Save in “${name}”`,
      import: 'Take one from a folder…',
      importHint: 'The folder with a file that Afterimage saved.',
      importFrom: (name: string) => `Look in “${name}”`,
      imported: 'It was taken, and waits for you.',
      importedFrom: 'from a file',
      remove: 'Remove',
      removeTitle: 'Remove what was learned here?',
      removeBody: 'What was learned and its figures are forgotten. Your thumbs, names and photos stay.',
      removed: 'Removed.',
      moreAbout: (when: string) => `Details of ${when}`,
      kept: 'What is remembered for learning',
      keptIntro: 'All of it stays in your library on this computer.',
      thumbs: (up: number, down: number) => `${some(up, 'thumb')} up, ${f.number(down)} down`,
      queries: (n: number) => some(n, 'past search', 'past searches'),
      forgetThumbs: 'Forget the thumbs…',
      forgetThumbsTitle: 'Forget all thumbs?',
      forgetThumbsBody:
        'What you said of results is forgotten and cannot be learned from again. What was learned stays.',
      forgetQueries: 'Forget past searches…',
      forgetQueriesTitle: 'Forget all past searches?',
      forgetQueriesBody: 'They are used only to show you before and after. Your photos stay.',
      forgetOne: (query: string) => `Forget “${query}”`,
      forgotten: 'Forgotten.',
      showQueries: 'Show past searches',
      forget: 'Forget',
      privacy: 'Thumbs, names and past searches',
      privacyHint: 'What you taught Afterimage. It stays in the library on this computer.',
      manage: 'Look at it or forget it',
    },
  };
};

export type LearningWords = ReturnType<typeof learningInEnglish>;
