/** The English sentences about albums, tags, describing many photos, and what each model does. */
import type { CaptionProgress, Pack } from '../../../main/contract.ts';
import type { Formats } from './format.ts';

interface Units {
  readonly f: Formats;
  readonly photos: (n: number) => string;
  readonly files: (n: number) => string;
  readonly duration: (seconds: number) => string;
}

export const placesInEnglish = ({ f, photos, files, duration }: Units) => ({
  albums: {
    title: 'Albums',
    none: 'No albums yet',
    noneHint:
      'Select photos and choose “Add to album”, or search and choose “Save as album”: such an album gathers new photos by itself.',
    make: 'New album',
    makeTitle: 'New album',
    saveSearch: 'Save as album',
    saveTitle: 'Save this search as an album',
    saveHint: 'It follows your photos: new ones that fit join by themselves.',
    editTitle: 'What this album looks for',
    name: 'Name',
    nameTaken: 'There is an album of this name already.',
    create: 'Make album',
    save: 'Save',
    add: 'Add to album',
    addTitle: (n: number) => `Add ${photos(n)} to an album`,
    find: 'Find an album, or name a new one',
    makeNamed: (name: string) => `New album “${name}”`,
    list: 'Your albums',
    smart: 'Gathers photos by itself',
    cover: (name: string, n: number, smart: boolean) =>
      `${name}, ${photos(n)}${smart ? ', gathers photos by itself' : ''}`,
    troubled: 'needs your attention',
    open: 'Open',
    made: (name: string, n: number) => (n === 0 ? `“${name}” was made.` : `“${name}” holds ${photos(n)}.`),
    added: (n: number, name: string) => `${photos(n)} added to “${name}”.`,
    thereAlready: (name: string) => `They are in “${name}” already.`,
    took: (n: number, name: string) => `${photos(n)} taken out of “${name}”. The files stay where they are.`,
    take: 'Take out of album',
    stayHint: 'What you take out stays out, even where the search finds it.',
    useAsCover: 'Use as cover',
    coverSet: (name: string) => `“${name}” has a new cover.`,
    ownCover: 'Let Afterimage choose the cover',
    rename: 'Name of the album',
    back: 'All albums',
    searchIn: 'Search in this album',
    ask: 'Ask about these photos',
    more: 'More about this album',
    remove: 'Remove album',
    removeTitle: (name: string) => `Remove the album “${name}”?`,
    removeBody: (n: number) =>
      n === 0
        ? 'Only the album goes; it holds no photos.'
        : `Only the album goes. ${n === 1 ? 'Its photo stays' : `Its ${photos(n)} stay`} in Afterimage and on the disk.`,
    removed: (name: string) => `“${name}” was removed. Its photos stay.`,
    gone: 'This album is not there any more.',
    empty: 'This album is empty.',
    emptyHint: 'Select photos anywhere and choose “Add to album”.',
    emptySmart: 'No photo fits yet. When one comes, it appears here.',
    emptySmartHint: 'You can also change what it looks for.',
    looksFor: 'Looks for',
    change: 'Change',
    query: 'Search',
    queryPlaceholder: 'dog on a beach -snow after:2021',
    like: 'like this photo',
    band: 'Take in',
    bands: { strong: 'strong matches only', likely: 'strong and likely matches' },
    onlyStrong: 'strong matches only',
    finds: (n: number) => (n === 0 ? 'No photo fits now.' : `${photos(n)} fit now.`),
    finding: 'Looking…',
    noDropped:
      'Dropped pictures are not kept, so an album cannot look for them. Photos in your folders can be used.',
    problem: 'These are the photos it found last.',
    problemGone: 'A photo or album that it looks for is gone. Change what it looks for.',
    problemQuery: 'What it looks for could not be understood. Change it.',
    sentence: (what: string) => `This album could not look for new photos. ${what}`,
    dropped: 'left out',
    complete: { album: 'Albums', tag: 'Tags' },
    completing: (n: number) => `${f.number(n)} ${f.plural(n) === 'one' ? 'suggestion' : 'suggestions'}`,
  },
  run: {
    label: 'Describing photos',
    phase: {
      idle: 'Described',
      captioning: 'Describing photos',
      paused: 'Paused',
      waiting: 'Waiting for indexing',
    } satisfies Record<CaptionProgress['phase'], string>,
    these: 'Describe',
    theseHint: 'Write captions for these photos',
    all: 'Describe all photos',
    stop: 'Stop',
    pause: 'Pause describing',
    resume: 'Go on describing',
    show: 'Show how describing goes',
    rate: (perMinute: number) => `${f.decimal(perMinute)} a minute`,
    left: (seconds: number) => `${duration(seconds)} left`,
    failed: (n: number) => `${photos(n)} could not be described`,
    retry: 'Try again',
    searchable: 'Captions can be searched as soon as they are written.',
    done: (captioned: number, unsure: number, skipped: number) =>
      [
        captioned > 0 || (unsure === 0 && skipped === 0) ? `${photos(captioned)} described` : '',
        unsure > 0 ? `not sure about ${f.number(unsure)}` : '',
        skipped > 0 ? `${f.number(skipped)} had a caption already` : '',
      ]
        .filter((part) => part !== '')
        .join(', ')
        .replace(/^./, (first) => first.toUpperCase()) + '.',
    clear: 'Clear the list',
    none: 'Every photo could be described.',
    countOnly: 'The list of reasons is in the window that started this.',
  },
  captionsPage: {
    intro: 'A caption is a sentence about what is in a photo. Captions can be searched like everything else.',
    count: (captioned: number, total: number) =>
      total === 0 ? 'No photos yet.' : `${f.number(captioned)} of ${photos(total)} looked at for a caption.`,
    allDone: (total: number) => `All ${photos(total)} have been looked at for a caption.`,
    background: 'Describe new photos in the background',
    backgroundHint: 'When there is nothing better to do. It steps aside while you search.',
    by: (pack: string) => `Written by ${pack}.`,
    noModel: 'No model that describes photos is installed.',
    choose: 'Choose a model',
    again: 'Describe again what a model described',
    againTitle: 'Describe all photos again?',
    againBody: 'Captions that a model wrote are written anew. What you wrote yourself stays.',
    againAction: 'Describe again',
    out: 'Take captions elsewhere',
    outHint: 'Other programs can read captions and tags from small files beside the photos, or from a table.',
    privacy: 'Captions and tags can be written to files of their own.',
  },
  exporting: {
    action: 'Save captions',
    title: (n: number | null) =>
      n === null ? 'Save all captions and tags' : `Save captions and tags of ${photos(n)}`,
    beside: 'Beside each photo',
    besideHint:
      'A small XMP file next to each photo, for Lightroom, digiKam and others. Photos are not changed.',
    folder: 'As XMP files in a folder of your choice',
    folderHint: 'The same files, away from your photos.',
    csv: 'As one table',
    csvHint: 'captions.csv in a folder of your choice, for Excel and others.',
    go: 'Save',
    choose: 'Choose a folder',
    into: (name: string) => `Save in “${name}”`,
    working: (done: number, total: number) => `${f.number(done)} of ${f.number(total)} saved`,
    written: (n: number) =>
      n === 0 ? 'Nothing was saved: these photos have no captions or tags.' : `${files(n)} saved.`,
    table: (n: number) => `captions.csv holds ${photos(n)}.`,
    where: 'Where',
    skipped: (n: number) => `${photos(n)} left out`,
    stopped: 'Stopped. What was saved by then stays.',
    done: 'Done',
  },
  tags: {
    intro: 'Tags are words that Afterimage looks for in every photo by itself. Search for one with tag:name.',
    add: 'Add a tag',
    name: 'Tag',
    prompts: 'What it looks like',
    promptsHint:
      'One description a line, such as “a red kite in the sky”. Leave it empty if the name says it all.',
    promptsInEnglish: 'Models understand English best.',
    edit: (name: string) => `Change ${name}`,
    remove: (name: string) => `Remove ${name}`,
    removed: (name: string) => `The tag “${name}” was removed.`,
    editTitle: 'Change the tag',
    addTitle: 'New tag',
    save: 'Save',
    taken: 'There is a tag of this name already.',
    show: (name: string, n: number) => `Show ${photos(n)} tagged ${name}`,
    restore: 'Bring back removed tags',
    restored: (n: number) =>
      n === 0
        ? 'No tag was missing.'
        : `${f.number(n)} ${f.plural(n) === 'one' ? 'tag is' : 'tags are'} back.`,
    find: 'Find a tag',
    none: 'No tag of this name.',
    total: (n: number) => `${f.number(n)} ${f.plural(n) === 'one' ? 'tag' : 'tags'}`,
    saved: (name: string) => `“${name}” was saved. Photos are looked at again in the background.`,
  },
  packsBy: {
    intro: 'Models decide what Afterimage recognises. A larger one knows more and works slower.',
    groups: {
      embed: 'Search',
      caption: 'Captions',
      answer: 'Questions',
    } satisfies Record<Pack['tasks'][number], string>,
    what: {
      embed: 'Finds photos by what is in them.',
      caption: 'Writes a sentence about a photo.',
      answer: 'Answers questions about a photo.',
    } satisfies Record<Pack['tasks'][number], string>,
    also: (task: Pack['tasks'][number]) =>
      ({ embed: 'also searches', caption: 'also writes captions', answer: 'also answers questions' })[task],
    /** @param value a share up to 1, or points as they are published. */
    quality(metric: string, dataset: string, value: number): string {
      const figure = value <= 1 ? f.percent(value) : value.toFixed(1);
      if (metric === 'names the label') return `names the main thing in ${figure} of ${dataset}`;
      if (metric === 'precision when sure') return `right in ${figure} where it is sure`;
      if (metric === 'accuracy') return `${figure} right on ${dataset}`;
      return `${metric} ${figure} on ${dataset}`;
    },
    published: 'Published quality',
    useAtOnce: 'Used from the next photo on. What was written before stays.',
  },
});

export type PlacesWords = ReturnType<typeof placesInEnglish>;
