/** Which place the window shows; kept in the address, so that Back works. */

export const settingsSections = [
  'folders',
  'model',
  'captions',
  'tags',
  'appearance',
  'privacy',
  'about',
] as const;
export type SettingsSection = (typeof settingsSections)[number];
export const places = ['photos', 'albums', 'duplicates', 'ask', 'teach', 'settings'] as const;
export type Place = (typeof places)[number];

export class Routes {
  place = $state<Place>('photos');
  section = $state<SettingsSection>('folders');
  /** The album that is open; null for all of them. */
  albumId = $state<number | null>(null);
  readonly #page: Window;

  constructor(page: Window) {
    this.#page = page;
    this.#read();
    page.addEventListener('hashchange', () => this.#read());
  }

  go(place: Place, section?: SettingsSection): void {
    this.#goTo(place === 'settings' ? `#/settings/${section ?? this.section}` : `#/${place}`);
  }

  openAlbum(albumId: number): void {
    this.#goTo(`#/albums/${albumId}`);
  }

  #goTo(address: string): void {
    if (this.#page.location.hash === address) return;
    this.#page.location.hash = address;
    this.#read();
  }

  #read(): void {
    const [, place = '', part = ''] = this.#page.location.hash.split('/');
    this.place = places.find((name) => name === place) ?? 'photos';
    const section = settingsSections.find((name) => name === part);
    if (section !== undefined) this.section = section;
    this.albumId = this.place === 'albums' && /^\d{1,15}$/.test(part) ? Number(part) : null;
  }
}
