/** Columns of text for a person's terminal, at most as wide as the window. */

export interface Column {
  readonly align?: 'left' | 'right';
  /** Shortened from the left to fit: of a path, its end tells most. */
  readonly shrinks?: boolean;
}

/** @param width of the window in characters; without one nothing is shortened. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string[] {
  const widths = columns.map((_, i) => Math.max(0, ...rows.map((row) => textWidth(row[i] ?? ''))));
  const gap = 2;
  const shrinking = columns.findIndex((column) => column.shrinks === true);
  if (width !== undefined && shrinking >= 0) {
    const others = widths.reduce((sum, each, i) => (i === shrinking ? sum : sum + each), 0);
    const room = Math.max(16, width - others - gap * (columns.length - 1));
    widths[shrinking] = Math.min(widths[shrinking] ?? 0, room);
  }
  return rows.map((row) =>
    columns
      .map((column, i) => {
        const cell = shortenedFromLeft(row[i] ?? '', widths[i] ?? 0);
        const padding = ' '.repeat(Math.max(0, (widths[i] ?? 0) - textWidth(cell)));
        return column.align === 'right' ? padding + cell : cell + padding;
      })
      .join(' '.repeat(gap))
      .trimEnd(),
  );
}

function shortenedFromLeft(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  const characters = Array.from(text);
  while (characters.length > 0 && textWidth(characters.join('')) > width - 1) characters.shift();
  return `…${characters.join('')}`;
}

/** East Asian wide characters take two columns (UAX 11); the common blocks of them. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/gu;

function textWidth(text: string): number {
  return Array.from(text).length + (text.match(wide)?.length ?? 0);
}
