/** Which place the window shows; kept in the address, so that Back works. */

export const settingsSections = ['folders', 'model', 'appearance', 'privacy', 'about'] as const;
export type SettingsSection = (typeof settingsSections)[number];
const places = ['photos', 'duplicates', 'ask', 'settings'] as const;
export type Place = (typeof places)[number];

export class Routes {
  place = $state<Place>('photos');
  section = $state<SettingsSection>('folders');
  readonly #page: Window;

  constructor(page: Window) {
    this.#page = page;
    this.#read();
    page.addEventListener('hashchange', () => this.#read());
  }

  go(place: Place, section?: SettingsSection): void {
    const address = place === 'settings' ? `#/settings/${section ?? this.section}` : `#/${place}`;
    if (this.#page.location.hash === address) return;
    this.#page.location.hash = address;
    this.#read();
  }

  #read(): void {
    const [, place = '', section = ''] = this.#page.location.hash.split('/');
    this.place = places.find((name) => name === place) ?? 'photos';
    const known = settingsSections.find((name) => name === section);
    if (known !== undefined) this.section = known;
  }
}
