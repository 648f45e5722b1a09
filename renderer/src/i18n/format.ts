/** Numbers, sizes, dates and times as a language writes them. */

export interface Formats {
  number(value: number): string;
  /** One decimal below ten, none above: rates and weights. */
  decimal(value: number): string;
  percent(share: number): string;
  bytes(value: number): string;
  /** @param month 'YYYY-MM'; the year alone where the month is missing. */
  month(month: string): string;
  /** @param ms the camera's local clock read as UTC. */
  dateTime(ms: number): string;
  date(ms: number): string;
  ago(ms: number, now: number): string;
  list(items: readonly string[]): string;
  plural(value: number): Intl.LDMLPluralRule;
}

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function formatsFor(locale: string): Formats {
  const number = new Intl.NumberFormat(locale);
  const decimal = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(locale, { style: 'percent' });
  const month = new Intl.DateTimeFormat(locale, { month: 'long', year: 'numeric', timeZone: 'UTC' });
  const year = new Intl.DateTimeFormat(locale, { year: 'numeric', timeZone: 'UTC' });
  const dateTime = new Intl.DateTimeFormat(locale, {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const list = new Intl.ListFormat(locale, { type: 'conjunction' });
  const rules = new Intl.PluralRules(locale);
  return {
    number: (value) => number.format(value),
    decimal: (value) => (value < 10 ? decimal.format(value) : number.format(Math.round(value))),
    percent: (share) => percent.format(share),
    bytes(value) {
      let unit = 0;
      let amount = value;
      while (amount >= 1000 && unit < byteUnits.length - 1) {
        amount /= 1000;
        unit++;
      }
      return new Intl.NumberFormat(locale, {
        style: 'unit',
        unit: byteUnits[unit] ?? 'byte',
        unitDisplay: unit === 0 ? 'long' : 'short',
        maximumFractionDigits: unit > 1 && amount < 10 ? 1 : 0,
      }).format(amount);
    },
    month(value) {
      const [y = '', m = ''] = value.split('-');
      const at = new Date(Date.UTC(Number(y), m === '' ? 0 : Number(m) - 1, 1));
      if (Number.isNaN(at.getTime())) return value;
      return (m === '' ? year : month).format(at);
    },
    dateTime: (ms) => dateTime.format(ms),
    date: (ms) => date.format(ms),
    ago(ms, now) {
      const minutes = (ms - now) / 60_000;
      if (minutes > -60) return relative.format(Math.round(minutes), 'minute');
      if (minutes > -1_440) return relative.format(Math.round(minutes / 60), 'hour');
      return relative.format(Math.round(minutes / 1_440), 'day');
    },
    list: (items) => list.format(items),
    plural: (value) => rules.select(value),
  };
}
