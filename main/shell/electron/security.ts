/** Denies whatever a page could ask of the system or of the network: it needs nothing but itself. */
import type { App, Session, WebContents } from 'electron';
import { isOurPage } from './origin.ts';

type NavigationEvent = { readonly url: string; preventDefault(): void };

/** Copying a picture or a path is the one thing that the page does outside itself, and a person clicks for it. */
const allowedPermission = 'clipboard-sanitized-write';

export function setupSecurity(app: Pick<App, 'on'>, session: Session): void {
  app.on('web-contents-created', (_event, contents) => confine(contents));
  denyPermissions(session);
  denyRemote(session);
}

function confine(contents: WebContents): void {
  const stay = (event: NavigationEvent): void => {
    if (!isOurPage(event.url)) event.preventDefault();
  };
  contents.on('will-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !isOurPage(event.url)) event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
}

function denyPermissions(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, answer, details) => {
    answer(permission === allowedPermission && details.isMainFrame && isOurPage(contents.getURL()));
  });
  session.setPermissionCheckHandler(
    (contents, permission, _origin, details) =>
      permission === allowedPermission &&
      details.isMainFrame &&
      contents !== null &&
      isOurPage(contents.getURL()),
  );
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}));
  session.on('will-download', (event) => event.preventDefault());
}

/** Schemes that stay on this machine; the developer tools exist in unpackaged runs only. */
const localSchemes = new Set(['app:', 'photo:', 'blob:', 'data:', 'devtools:']);

function denyRemote(session: Session): void {
  session.webRequest.onBeforeRequest((details, answer) => {
    answer({ cancel: !localSchemes.has(schemeOf(details.url)) });
  });
}

function schemeOf(url: string): string {
  return /^[a-z][a-z\d+.-]*:/i.exec(url)?.[0].toLowerCase() ?? '';
}
