/** Months of photos in a row, each with its first photo, and the headings that a grid shows for them. */
import type { SectionHead } from '../grid/layout.ts';

export interface Month {
  /** 'YYYY-MM'. */
  readonly month: string;
  readonly start: number;
  readonly count: number;
}

export function placed(months: readonly { readonly month: string; readonly count: number }[]): Month[] {
  let start = 0;
  return months.map(({ month, count }) => {
    const here = { month, start, count };
    start += count;
    return here;
  });
}

const headingPixels = 44;

/** @param title writes a month as the page's language does. */
export function monthHeads(months: readonly Month[], title: (month: string) => string): SectionHead[] {
  return months.map(({ month, start, count }) => ({
    start,
    count,
    heading: headingPixels,
    kind: 'title',
    packs: true,
    title: title(month),
    mark: month.slice(0, 4),
  }));
}

export function monthOf(months: readonly Month[], index: number): string {
  return months.findLast((month) => month.start <= index)?.month ?? '';
}
