/** The one page of the app: its address, and whether a frame or a request is of it. */

export const appScheme = 'app';
export const photoScheme = 'photo';
export const appOrigin = `${appScheme}://afterimage`;
export const pageUrl = `${appOrigin}/`;

/** A frame as Electron hands it with a message. */
export interface SendingFrame {
  readonly url: string;
  /** Null for a main frame. */
  readonly parent: unknown;
}

/** The main frame of our own page, and nothing embedded in it or opened by it. */
export function isOurFrame(frame: SendingFrame | null): boolean {
  return frame !== null && frame.parent === null && isOurPage(frame.url);
}

export function isOurPage(url: string): boolean {
  return url.startsWith(pageUrl);
}
