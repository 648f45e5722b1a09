/** Where the arrow keys lead in a grid of justified rows. */
import { cellsOf, nearestInRow, rowOf, type GridLayout } from './layout.ts';

/** @returns the photo that a key leads to, or undefined for keys that don't move. */
export function moved(
  layout: GridLayout,
  aspects: ArrayLike<number>,
  from: number,
  key: string,
  viewport: number,
): number | undefined {
  const last = (layout.rowStarts[layout.rows] ?? 0) - 1;
  if (last < 0) return undefined;
  const row = rowOf(layout, from);
  const toRow = (target: number): number => {
    const within = Math.max(0, Math.min(layout.rows - 1, target));
    if (within === row) return from;
    const cell = cellsOf(layout, aspects, row).find(({ index }) => index === from);
    return nearestInRow(layout, aspects, within, cell === undefined ? 0 : cell.left + cell.width / 2);
  };
  const page = Math.max(1, Math.floor(viewport / ((layout.rowHeights[row] ?? 1) + layout.gap)) - 1);
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, from - 1);
    case 'ArrowRight':
      return Math.min(last, from + 1);
    case 'ArrowUp':
      return toRow(row - 1);
    case 'ArrowDown':
      return toRow(row + 1);
    case 'PageUp':
      return toRow(row - page);
    case 'PageDown':
      return toRow(row + page);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}
