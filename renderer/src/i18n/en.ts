/** Every English sentence of the page. */
import type { Chip, IndexProgress, PackProgress, Pack, Provider } from '../../../main/contract.ts';
import type { ErrorCode } from '../../../main/errors.ts';
import { describingInEnglish } from './en-describe.ts';
import { labInEnglish } from './en-lab.ts';
import { learningInEnglish } from './en-learn.ts';
import { placesInEnglish } from './en-places.ts';
import { formatsFor } from './format.ts';

const f = formatsFor('en');
const photos = (n: number): string => `${f.number(n)} ${f.plural(n) === 'one' ? 'photo' : 'photos'}`;
const files = (n: number): string => `${f.number(n)} ${f.plural(n) === 'one' ? 'file' : 'files'}`;

function duration(seconds: number): string {
  if (seconds < 60) return 'less than a minute';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${f.number(minutes)} min`;
  return `${f.number(Math.floor(minutes / 60))} h ${f.number(minutes % 60)} min`;
}

/** What happened, and what to do about it. */
interface ErrorWords {
  readonly what: string;
  readonly remedy: string;
}

const errors: Record<ErrorCode, ErrorWords> = {
  'input-invalid': { what: 'That could not be understood.', remedy: 'Check what was typed and try again.' },
  'not-found': { what: 'That is not there any more.', remedy: 'Go back and try again.' },
  'not-supported': { what: 'This computer cannot do that.', remedy: 'Try it in the desktop app.' },
  cancelled: { what: 'That was cancelled.', remedy: 'Start it again when you like.' },
  'permission-denied': {
    what: 'The system does not let Afterimage read this.',
    remedy: 'Allow it in the system’s privacy or file settings, then try again.',
  },
  'disk-full': { what: 'The disk is full.', remedy: 'Free some space, then try again.' },
  'file-vanished': {
    what: 'The file is not there any more.',
    remedy: 'If it was moved, add the folder it is in now.',
  },
  'file-changed': {
    what: 'The file changed while it was being read.',
    remedy: 'Try again when nothing is writing to it.',
  },
  'io-failed': {
    what: 'Reading or writing failed.',
    remedy: 'Check the drive and its cable, then try again.',
  },
  'image-broken': {
    what: 'The file is damaged or cut short.',
    remedy: 'Copy it again from the camera or a backup.',
  },
  'image-unsupported': {
    what: 'This is not a picture that Afterimage can read.',
    remedy: 'Save it as JPEG, PNG or WebP to have it found.',
  },
  'image-too-large': {
    what: 'The picture is larger than Afterimage will open.',
    remedy: 'Save a smaller copy beside it to have it found.',
  },
  'image-timeout': { what: 'Opening the picture took too long.', remedy: 'Try again when less is going on.' },
  'photo-quarantined': {
    what: 'This file stopped Afterimage twice, so it is left alone.',
    remedy: 'Try again after an update, or save it anew in another program.',
  },
  'worker-died': {
    what: 'A part of Afterimage stopped while it worked on this.',
    remedy: 'It has been started again. Try once more.',
  },
  'library-locked': {
    what: 'Another Afterimage has this library open.',
    remedy: 'Close the other window or command, then try again.',
  },
  'library-newer': {
    what: 'This library was made by a newer Afterimage.',
    remedy: 'Update Afterimage to open it.',
  },
  'library-damaged': {
    what: 'The library file is damaged.',
    remedy: 'Your photos are safe. Put back a copy from the library’s backups folder, or start a new one.',
  },
  'root-invalid': {
    what: 'This folder cannot be added.',
    remedy: 'Choose a folder that holds photos.',
  },
  'root-offline': {
    what: 'The drive with this folder is not connected.',
    remedy: 'Connect it; Afterimage goes on by itself.',
  },
  'pack-missing': { what: 'There is no model to work with.', remedy: 'Choose one under Settings, Model.' },
  'pack-invalid': {
    what: 'A file of the model is missing or damaged.',
    remedy: 'Remove the model and download it again.',
  },
  'pack-unfit': {
    what: 'The model gave wrong answers when it was checked.',
    remedy: 'Use another model, or run it on the processor.',
  },
  'provider-unavailable': {
    what: 'The graphics card cannot be used for this.',
    remedy: 'Afterimage works on the processor instead, only slower.',
  },
  'download-failed': {
    what: 'The download broke off.',
    remedy: 'Check the connection and try again; it goes on where it stopped.',
  },
  'download-refused': {
    what: 'What came was not what was expected, so it was thrown away.',
    remedy: 'Try again later, or on another network.',
  },
  'engine-stopped': {
    what: 'Afterimage is not answering.',
    remedy: 'It comes back by itself if it is only restarting; otherwise start it again.',
  },
  internal: { what: 'Something went wrong inside Afterimage.', remedy: 'Try again, or restart Afterimage.' },
};

export const en = {
  ...describingInEnglish(f, photos),
  ...placesInEnglish({ f, photos, files, duration }),
  ...learningInEnglish({ f, photos, duration }),
  ...labInEnglish(f),
  f,
  errors,
  photos,
  files,
  duration,
  app: {
    name: 'Afterimage',
    skipToPhotos: 'Skip to photos',
    linkDown: 'Afterimage stopped answering. Trying again…',
    readOnly: 'Another Afterimage is writing to this library. Here you can look and search.',
    loading: 'Opening your library…',
    cannotOpen: 'The library could not be opened',
    tryAgain: 'Try again',
    close: 'Close',
    cancel: 'Cancel',
    back: 'Back',
    undo: 'Undo',
    remove: 'Remove',
    details: 'Details',
  },
  places: {
    label: 'Places',
    photos: 'Photos',
    albums: 'Albums',
    duplicates: 'Duplicates',
    ask: 'Ask',
    teach: 'Teach',
    settings: 'Settings',
    open: 'Show names',
    shut: 'Hide names',
  },
  firstRun: {
    title: 'Find your photos by what is in them',
    sentences: [
      'Choose the folders that hold your photos.',
      'Afterimage looks at each one and remembers what it saw.',
      'Everything stays on this computer, and your photos are never changed.',
    ],
    add: 'Add a folder',
    drop: 'or drop one here',
  },
  empty: {
    title: 'No photos here yet',
    body: 'These folders hold no JPEG, PNG, WebP, HEIC, AVIF, GIF or TIFF files. Add another one, or put photos in and they appear by themselves.',
    looking: 'Looking through your folders…',
    offline: 'The drive is not connected. Your photos appear when it is back.',
    failed: 'None of the files could be read. The list at the bottom left says why.',
  },
  search: {
    label: 'Search your photos',
    placeholder: 'Search your photos',
    placeholderExample: 'Add words',
    clear: 'Clear the search',
    try: 'Try',
    weight: (name: string) => `Weight of ${name}: arrow keys or scroll to change, Backspace to remove`,
    weightValue: (weight: number) =>
      weight < 0 ? `less like this, ${f.decimal(-weight)}` : `like this, ${f.decimal(weight)}`,
    example: 'this photo',
    counts: (strong: number, likely: number) =>
      strong > 0 && likely > 0
        ? `${f.number(strong)} strong, ${f.number(likely)} likely`
        : strong > 0
          ? `${f.number(strong)} strong`
          : `${f.number(likely)} likely`,
    filtered: (total: number) => photos(total),
    took: (ms: number) => (ms < 1 ? 'under 1 ms' : `${f.number(Math.round(ms))} ms`),
    thin: 'Nothing here looks like that; the nearest are below.',
    none: 'No photo passes these filters.',
    noneRemedy: 'Take one away, or search for something else.',
    noneYet: 'Nothing to search yet. Photos appear here as soon as the first ones are in.',
    changed: 'More photos are in.',
    again: 'Search again',
    searching: 'Searching…',
    results: 'Results',
    strong: 'Strong matches',
    likely: 'Likely',
    weak: 'Less likely',
    showWeak: (n: number) => `Show ${f.number(n)} less likely`,
    hideWeak: 'Hide the less likely',
    noModel: 'There is no model, so searching by what is in a photo is off.',
    chooseModel: 'Choose a model',
    dropHere: 'Drop a picture to find photos like it',
    dropFolder: 'or a folder to add it',
    imageOnly: 'Only pictures and folders can be dropped here.',
    addingExample: 'Reading the picture…',
    problem: (kind: Chip['kind'], value: string) =>
      kind === 'after' || kind === 'before'
        ? `“${value}” is not a date. Write ${kind}:2021 or ${kind}:2021-06-30.`
        : kind === 'type'
          ? `“${value}” is not a picture type. Try type:jpeg or type:heic.`
          : kind === 'is'
            ? `“is:${value}” is not known. Try is:offline.`
            : kind === 'album'
              ? `There is no album “${value}”.`
              : kind === 'tag'
                ? `There is no tag “${value}”.`
                : `“${value}” could not be understood.`,
  },
  grid: {
    label: 'Photos',
    position: (index: number, total: number) => `Photo ${f.number(index)} of ${f.number(total)}`,
    select: 'Select',
    offline: 'Drive not connected',
    copies: (n: number) => `${f.number(n)} more ${f.plural(n) === 'one' ? 'copy' : 'copies'}`,
    scrubber: 'Jump to a date',
    selected: (n: number) => `${f.number(n)} selected`,
    clear: 'Clear selection',
    moreLikeThese: 'More like these',
    unreadable: 'Cannot be shown',
    byWords: 'found by its words',
  },
  viewer: {
    label: (name: string) => `Photo ${name}`,
    previous: 'Previous photo',
    next: 'Next photo',
    close: 'Close',
    info: 'Information',
    ask: 'Ask about this photo',
    where: 'Show where',
    similar: 'More like this',
    open: 'Open in another program',
    download: 'Save the original',
    reveal: 'Show in folder',
    copy: 'Copy picture',
    copied: 'The picture is on the clipboard.',
    copyFailed: 'The picture could not be copied. Open it in another program and copy it there.',
    more: 'More',
    smallOnly: 'The original cannot be shown here, so this is the small copy.',
    offline: 'The drive is not connected, so this is the small copy.',
    zoomIn: 'Zoom in',
    zoomOut: 'Fit to window',
    when: 'Date',
    fileDate: 'from the file, the camera noted none',
    camera: 'Camera',
    lens: 'Lens',
    exposure: 'Exposure',
    place: 'Place',
    size: 'Size',
    pixels: (width: number, height: number) => `${f.number(width)} × ${f.number(height)}`,
    megapixels: (value: number) => `${f.decimal(value)} MP`,
    file: 'File',
    folder: 'Folder',
    copies: 'Copies',
    matched: 'Match',
    band: { strong: 'strong', likely: 'likely', weak: 'less likely' },
    seconds: (value: number) =>
      value >= 1 ? `${f.decimal(value)} s` : `1/${f.number(Math.round(1 / value))} s`,
    latitude: (value: number) => `${Math.abs(value).toFixed(4)}° ${value < 0 ? 'S' : 'N'}`,
    longitude: (value: number) => `${Math.abs(value).toFixed(4)}° ${value < 0 ? 'W' : 'E'}`,
  },
  duplicates: {
    title: 'Duplicates',
    intro: 'Files with exactly the same bytes. Afterimage only shows them; it never deletes your photos.',
    none: 'No file is here twice.',
    groups: (n: number) =>
      `${f.number(n)} ${f.plural(n) === 'one' ? 'photo is' : 'photos are'} here more than once`,
    times: (n: number) => `${f.number(n)} files`,
    more: 'Show more',
  },
  progress: {
    label: 'Indexing',
    phase: {
      idle: 'All photos are in',
      scanning: 'Looking for photos',
      indexing: 'Looking at your photos',
      paused: 'Paused',
      finishing: 'Finishing',
    } satisfies Record<IndexProgress['phase'], string>,
    of: (done: number, total: number) => `${f.number(done)} of ${f.number(total)}`,
    found: (n: number) => `${f.number(n)} found`,
    rate: (rate: number) => `${f.decimal(rate)} per second`,
    shortRate: (rate: number) => `${f.decimal(rate)}/s`,
    left: (seconds: number) => `${duration(seconds)} left`,
    pause: 'Pause',
    resume: 'Go on',
    failed: (n: number) => `${files(n)} could not be read`,
    noFailures: 'Every file could be read.',
    retry: 'Try again',
    retryAll: 'Try all again',
    retrying: (n: number) => `Trying ${files(n)} again`,
    show: 'Show progress and what failed',
    more: 'Show more',
    searchable: 'What has been looked at can be searched already.',
  },
  folders: {
    title: 'Choose a folder',
    hint: 'Folders inside it are included.',
    choose: (name: string) => `Add “${name}”`,
    use: (name: string) => `Use “${name}”`,
    up: 'Up',
    none: 'No folders inside.',
    places: 'Start from',
    droppedInBrowser: (name: string) =>
      `A browser does not say where a dropped folder lies. Find “${name}” here.`,
    covered: (name: string) => `“${name}” is in a folder that was added already.`,
    added: (name: string) => `“${name}” was added.`,
  },
  settings: {
    title: 'Settings',
    saved: 'Saved',
    sections: {
      folders: 'Folders',
      model: 'Model',
      captions: 'Captions',
      tags: 'Tags',
      appearance: 'Appearance',
      privacy: 'Privacy',
      about: 'About',
    },
    folders: {
      intro: 'Photos in these folders, and in folders inside them, can be found.',
      none: 'No folder has been added.',
      add: 'Add a folder',
      rescan: 'Look for changes now',
      offline: 'Not connected',
      lastScan: (when: string) => `checked ${when}`,
      neverScanned: 'not checked yet',
      failed: (n: number) => `${f.number(n)} not read`,
      remove: 'Remove',
      removeTitle: (name: string) => `Remove “${name}” from Afterimage?`,
      removeBody: (n: number) =>
        `Afterimage forgets ${photos(n)} of this folder. The files themselves stay where they are.`,
      removed: (n: number) => `Afterimage forgot ${photos(n)}. The files are still on the disk.`,
      watch: 'Notice new photos by itself',
      watchHint: 'While Afterimage is open, new, moved and deleted photos are noticed at once.',
    },
    model: {
      intro: 'The model decides what Afterimage recognises. A larger one knows more and works slower.',
      inUse: 'In use',
      installed: 'Installed',
      recommended: 'Recommended',
      download: (size: string) => `Download ${size}`,
      use: 'Use',
      useHint: 'Every photo is looked at again. Until that is done, searching goes on with the model in use.',
      check: 'Check',
      checking: 'Checking…',
      remove: 'Remove',
      removeTitle: (name: string) => `Remove ${name}?`,
      removeBody: (size: string) =>
        `This frees ${size}. Your photos are not touched, and it can be downloaded again.`,
      licence: 'Licence',
      source: 'From',
      ships: 'comes with the app',
      photos: (n: number) => `knows ${photos(n)}`,
      fromFolder: 'Use a model from a folder',
      checked: (when: string) => `Checked ${when}`,
      passed: 'right answers',
      notPassed: 'wrong answers',
      stage: {
        download: 'Downloading',
        verify: 'Comparing with the original',
        'self-test': 'Checking its answers',
        index: 'Looking at your photos',
        swap: 'Changing over',
      } satisfies Record<PackProgress['stage'], string>,
      task: {
        embed: 'Search',
        caption: 'Captions',
        answer: 'Questions',
      } satisfies Record<Pack['tasks'][number], string>,
      about: {} as Readonly<Record<string, string>>,
      provider: 'Runs on',
      providerHint: 'Each choice is compared with the processor before it is used.',
      auto: 'Whatever is fastest',
      providers: {
        cuda: 'NVIDIA graphics card (CUDA)',
        webgpu: 'Graphics card (WebGPU)',
        dml: 'Graphics card (DirectML)',
        coreml: 'Apple graphics and Neural Engine (CoreML)',
        cpu: 'Processor',
      } satisfies Record<Provider, string>,
      chosen: 'used now',
      unavailable: 'not on this computer',
    },
    appearance: {
      theme: 'Theme',
      themes: { system: 'Like the system', light: 'Light', dark: 'Dark' },
      language: 'Language',
      languages: { system: 'Like the system', en: 'English', 'zh-CN': '简体中文' },
      rowHeight: 'Size of pictures',
      smaller: 'Smaller',
      larger: 'Larger',
    },
    privacy: {
      intro: 'Nothing leaves this computer. Only downloading a model uses the network, when you ask for it.',
      where: 'Where things are',
      library: 'What Afterimage remembers',
      libraryHint: 'Names, dates and what each photo looks like to the model.',
      thumbnails: 'Small copies',
      thumbnailsHint: 'Pictures for the grid.',
      packs: 'Models',
      originals: 'Your photos',
      originalsHint: 'Stay in your folders. Afterimage only reads them.',
      path: 'Folder',
      limit: 'Room for small copies',
      erase: 'Forget everything',
      eraseHint:
        'Removes what Afterimage remembers, the small copies and downloaded models. Your photos stay where they are.',
      eraseTitle: 'Forget everything?',
      eraseConfirm: (word: string) => `Type ${word} to go on.`,
      eraseWord: 'erase',
      erased: 'Afterimage has forgotten everything. Your photos are where they were.',
    },
    about: {
      version: 'Version',
      body: 'Afterimage finds your own photos by what is in them. It is free software under the MIT licence.',
      keys: 'Keyboard shortcuts',
      library: 'Library',
      photos: 'Photos',
      ofWhich: (indexed: number, failed: number) =>
        `${photos(indexed)} can be found${failed > 0 ? `, ${f.number(failed)} could not be read` : ''}`,
    },
  },
  keys: {
    title: 'Keyboard',
    groups: {
      everywhere: 'Everywhere',
      grid: 'Photos',
      viewer: 'One photo',
      search: 'Search',
    },
    search: 'Search',
    help: 'These keys',
    escape: 'Back, or clear',
    move: 'Move',
    rows: 'A screen up or down',
    ends: 'First, last',
    open: 'Open',
    select: 'Select',
    extend: 'Select a range',
    all: 'Select all',
    similar: 'More like this',
    neighbours: 'Previous, next',
    info: 'Information',
    ask: 'Ask about the photo',
    where: 'Where the search is in it',
    zoom: 'Zoom',
    without: 'Without something',
    dates: 'Between dates',
    folder: 'In a folder',
    weight: 'Weight of an example',
  },
  notices: { label: 'Messages', dismiss: 'Dismiss' },
};

export type Catalogue = typeof en;
