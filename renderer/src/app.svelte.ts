/** Wires the page's parts together: one of each, handed to components through context. */
import { createContext } from 'svelte';
import type { AppInfo } from '../../main/contract.ts';
import { connect, type Bridge, type LinkState, type PageClient } from './client.ts';
import type { GridMemory } from './grid/source.ts';
import { Words } from './i18n/words.svelte.ts';
import { Albums } from './state/albums.svelte.ts';
import { AskResults } from './state/ask-results.svelte.ts';
import { CaptionExport } from './state/caption-export.svelte.ts';
import { CaptionRun } from './state/caption-run.svelte.ts';
import { Captions } from './state/captions.svelte.ts';
import { Feedback } from './state/feedback.svelte.ts';
import { Folders } from './state/folders.svelte.ts';
import { Indexing } from './state/indexing.svelte.ts';
import { Lab } from './state/lab.svelte.ts';
import { Library } from './state/library.svelte.ts';
import { Names } from './state/names.svelte.ts';
import { Notices } from './state/notices.svelte.ts';
import { OpenAlbum } from './state/open-album.svelte.ts';
import { Packs } from './state/packs.svelte.ts';
import { PastQueries } from './state/past-queries.svelte.ts';
import { Preferences } from './state/preferences.svelte.ts';
import { Routes } from './state/routes.svelte.ts';
import { Search } from './state/search.svelte.ts';
import { Selection } from './state/selection.svelte.ts';
import { Tags } from './state/tags.svelte.ts';
import { Tuning } from './state/tuning.svelte.ts';
import { Viewer } from './state/viewer.svelte.ts';

export class App {
  info = $state.raw<AppInfo | null>(null);
  link = $state<LinkState>('up');
  keysOpen = $state(false);
  readonly client: PageClient;
  readonly words: Words;
  readonly notices: Notices;
  readonly routes: Routes;
  readonly library: Library;
  readonly search: Search;
  readonly selection = new Selection();
  readonly viewer: Viewer;
  readonly captions: Captions;
  readonly askResults: AskResults;
  readonly captionRun: CaptionRun;
  readonly captionExport: CaptionExport;
  readonly albums: Albums;
  readonly openAlbum: OpenAlbum;
  readonly tags: Tags;
  readonly feedback: Feedback;
  readonly names: Names;
  readonly tuning: Tuning;
  readonly pastQueries: PastQueries;
  readonly lab: Lab;
  readonly indexing: Indexing;
  readonly packs: Packs;
  readonly preferences: Preferences;
  readonly folders: Folders;
  readonly timelineMemory: GridMemory = { top: 0, active: 0 };

  constructor(page: Window & { afterimage?: Bridge }) {
    this.client = connect(page, (state) => {
      const back = this.link === 'down' && state === 'up';
      this.link = state;
      if (back) void this.refresh();
    });
    this.words = new Words(page.navigator.languages);
    this.notices = new Notices(this.words);
    this.routes = new Routes(page);
    this.library = new Library(this.client);
    this.search = new Search(this.client);
    this.feedback = new Feedback(this);
    this.viewer = new Viewer(this.client, this.notices, this.feedback, page);
    this.captions = new Captions(this.client);
    this.askResults = new AskResults(this.client);
    this.captionRun = new CaptionRun(this);
    this.captionExport = new CaptionExport(this.client);
    this.albums = new Albums(this);
    this.openAlbum = new OpenAlbum(this.client);
    this.tags = new Tags(this);
    this.names = new Names(this);
    this.tuning = new Tuning(this);
    this.pastQueries = new PastQueries(this);
    this.lab = new Lab(this.client);
    this.indexing = new Indexing(this.client, this.notices);
    this.packs = new Packs(this.client, this.notices);
    this.preferences = new Preferences(this.client, this.notices, this.words, page.document);
    this.folders = new Folders(this);
    this.client.on('notice', (notice) => this.notices.fromEngine(notice));
    this.client.on('restarted', () => void this.refresh());
  }

  /** Fetches what the page shows; called at the start and whenever the engine comes back. */
  async refresh(): Promise<void> {
    try {
      this.info = await this.client.call('app.info', {});
    } catch (error) {
      this.notices.report(error);
    }
    await this.library.refresh();
    if (this.library.failure !== null) return;
    await Promise.all(
      [
        this.preferences,
        this.indexing,
        this.packs,
        this.captionRun,
        this.albums,
        this.tags,
        this.names,
        this.feedback,
        this.tuning,
      ].map((part) => part.refresh()),
    );
  }
}

export const [getApp, setApp] = createContext<App>();
