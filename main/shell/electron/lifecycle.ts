/** One app per person and a tidy end: a second start shows the first window, quitting closes the engine first. */
import type { App } from 'electron';
import type { Log } from '../../engine/log.ts';

/** How long the engine may take to finish its batch and save its index before the app goes without it. */
const closeWithinMs = 10_000;

/** @returns false when another Afterimage runs already: it has been told, and this one must quit. */
export function setupSingleInstance(
  app: Pick<App, 'requestSingleInstanceLock' | 'on'>,
  show: () => void,
): boolean {
  if (!app.requestSingleInstanceLock()) return false;
  app.on('second-instance', show);
  return true;
}

/** @param close ends the engine; called once, before the first quit goes through. */
export function setupQuit(
  app: Pick<App, 'on' | 'quit'>,
  close: () => Promise<void>,
  log: Log,
  withinMs = closeWithinMs,
): void {
  let state: 'running' | 'closing' | 'closed' = 'running';
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', (event) => {
    if (state === 'closed') return;
    event.preventDefault();
    if (state === 'closing') return;
    state = 'closing';
    void closeInTime(close, log, withinMs).then(() => {
      state = 'closed';
      app.quit();
    });
  });
}

async function closeInTime(close: () => Promise<void>, log: Log, withinMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, withinMs);
  });
  await Promise.race([
    late,
    close().catch((error: unknown) => log.error('the engine did not close', { reason: String(error) })),
  ]);
  clearTimeout(timer);
}
