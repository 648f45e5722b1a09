/** Where the window was, kept in a small file, and whether that is still on a screen. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Rectangle } from 'electron';
import { z } from 'zod';
import type { Log } from '../../engine/log.ts';

const stateShape = z.object({
  x: z.int(),
  y: z.int(),
  width: z.int().min(480).max(20_000),
  height: z.int().min(360).max(20_000),
  maximized: z.boolean(),
});
export type WindowState = z.output<typeof stateShape>;

/** @param workAreas of the screens that are there now. @returns undefined for none, a damaged or an off-screen one. */
export function readWindowState(file: string, workAreas: readonly Rectangle[]): WindowState | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // The first start has none.
    return undefined;
  }
  const state = parse(text);
  return state !== undefined && workAreas.some((area) => showsTitle(state, area)) ? state : undefined;
}

function parse(text: string): WindowState | undefined {
  try {
    return stateShape.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Enough of the top edge is on the screen to take hold of the window. */
function showsTitle(state: Rectangle, area: Rectangle): boolean {
  const visible = Math.min(state.x + state.width, area.x + area.width) - Math.max(state.x, area.x);
  return visible >= 100 && state.y >= area.y - 10 && state.y <= area.y + area.height - 40;
}

export function writeWindowState(file: string, state: WindowState, log: Log): void {
  try {
    writeFileSync(file, JSON.stringify(state));
  } catch (error) {
    // A window in the middle next time is all that is lost.
    log.warn('the place of the window was not kept', { reason: String(error) });
  }
}
