/** Keys that work everywhere; the grid and the viewer handle their own. */
import type { Vote } from '../../main/contract.ts';
import type { App } from './app.svelte.ts';

export const searchInputId = 'search-input';

export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

function focusSearch(): void {
  const input = document.getElementById(searchInputId);
  if (!(input instanceof HTMLInputElement)) return;
  input.focus();
  input.select();
}

export function focusGrid(): void {
  document.querySelector<HTMLElement>('[data-grid]')?.focus({ preventScroll: true });
}

/** The thumb that a key presses: plus, with or without shift, and minus. With Ctrl they are the browser's own zoom. */
export function voteOf({ key, ctrlKey, metaKey, altKey }: KeyboardEvent): Vote | undefined {
  if (ctrlKey || metaKey || altKey) return undefined;
  if (key === '+' || key === '=') return 'up';
  return key === '-' ? 'down' : undefined;
}

export function handleKeys(app: App, event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing || document.querySelector('dialog[open]') !== null) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    if (app.viewer.open) app.viewer.close();
    // Once the viewer is gone the bar behind it can take the focus.
    requestAnimationFrame(focusSearch);
    return;
  }
  if (command || event.altKey || isTyping(event.target)) return;
  if (event.key === '/' && !app.viewer.open) {
    event.preventDefault();
    focusSearch();
  } else if (event.key === '?') {
    event.preventDefault();
    app.keysOpen = true;
  } else if (event.key === 'Escape' && !app.viewer.open) {
    if (app.indexing.open) app.indexing.open = false;
    else if (app.captionRun.open) app.captionRun.open = false;
    else if (app.selection.size > 0) app.selection.clear();
    else if (app.routes.albumId !== null) app.routes.go('albums');
    else if (app.routes.place !== 'photos') app.routes.go('photos');
    else if (app.search.active) app.search.clear();
  }
}
