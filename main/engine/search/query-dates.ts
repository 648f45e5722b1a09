/** Dates as people type them in a filter: 2021, 2021-05, 3 May by number, yesterday, last year, 去年. */

/** A half-open stretch of the cameras' local clock, milliseconds as if it were UTC. */
export interface DateSpan {
  readonly from: number;
  readonly to: number;
}

const earliestYear = 1800;
const latestYear = 2200;

/**
 * @param typed one value as typed, any width of digits and punctuation.
 * @param localNow the wall clock read as UTC, milliseconds, as photos' dates are.
 * @returns the stretch meant, or undefined when it is not a date.
 */
export function parseDateSpan(typed: string, localNow: number): DateSpan | undefined {
  const value = typed
    .normalize('NFKC')
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '-');
  return parseCalendar(value) ?? parseRelative(value, localNow);
}

function parseCalendar(value: string): DateSpan | undefined {
  const match = /^(\d{4})(?:[-/.年](?:(\d{1,2})(?:[-/.月](?:(\d{1,2})日?)?)?)?)?$/.exec(value);
  if (match === null) return undefined;
  const year = Number(match[1]);
  if (year < earliestYear || year > latestYear) return undefined;
  if (match[2] === undefined) return years(year, 1);
  const month = Number(match[2]) - 1;
  if (month < 0 || month > 11) return undefined;
  if (match[3] === undefined) return months(year, month);
  const day = Number(match[3]);
  const from = Date.UTC(year, month, day);
  // 2021-02-30 would silently become March.
  if (day < 1 || new Date(from).getUTCDate() !== day) return undefined;
  return { from, to: Date.UTC(year, month, day + 1) };
}

function parseRelative(value: string, localNow: number): DateSpan | undefined {
  const today = new Date(localNow);
  const year = today.getUTCFullYear();
  const month = today.getUTCMonth();
  const day = today.getUTCDate();
  // Weeks begin on Monday (ISO 8601).
  const monday = day - ((today.getUTCDay() + 6) % 7);
  const days = (first: number, count: number): DateSpan => ({
    from: Date.UTC(year, month, first),
    to: Date.UTC(year, month, first + count),
  });
  switch (value) {
    case 'today':
    case '今天':
      return days(day, 1);
    case 'yesterday':
    case '昨天':
      return days(day - 1, 1);
    case '前天':
      return days(day - 2, 1);
    case 'this-week':
    case '本周':
    case '这周':
      return days(monday, 7);
    case 'last-week':
    case '上周':
      return days(monday - 7, 7);
    case 'this-month':
    case '本月':
    case '这个月':
      return months(year, month);
    case 'last-month':
    case '上月':
    case '上个月':
      return months(year, month - 1);
    case 'this-year':
    case '今年':
      return years(year, 1);
    case 'last-year':
    case '去年':
      return years(year - 1, 1);
    case '前年':
      return years(year - 2, 1);
    default:
      return undefined;
  }
}

function years(year: number, count: number): DateSpan {
  return { from: Date.UTC(year, 0), to: Date.UTC(year + count, 0) };
}

function months(year: number, month: number): DateSpan {
  return { from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
}
