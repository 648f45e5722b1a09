/** Which albums teach something, and how much of them is used. */
import { contentWords } from './wordings.ts';
import { stableOrder } from './stable-order.ts';

/** Larger albums are drawn from: more photos of one text teach little more. */
const mostPhotos = 2_000;
/** An album with more than half of the library says of few photos what others are not. */
const largeShare = 0.5;
const mostOfLarge = 200;

/** Names that say when or where from, or nothing; whatever they hold looks like anything. */
const general = new Set(
  `album albums camera roll favourite favourites favorite favorites best top misc miscellaneous other others various new old
  import imported export exported backup sort sorted unsorted untitled unnamed folder test temp tmp todo edit edited share
  shared wallpaper download downloads screenshot screenshots saved recent archive selection select selected print prints
  delete phone iphone android samsung pixel whatsapp telegram instagram facebook dcim trip day week weekend month year
  today yesterday fotos bilder alben lieblinge favoriten sonstiges diverse neu alt beste
  年 月 日 号 最近 收藏 相册 全部 其他 精选 相机 截图`
    .split(/\s+/)
    .flatMap(contentWords),
);
/** Languages whose months and weekdays are known as such. */
const calendars = ['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl', 'sv', 'ru', 'zh', 'ja'];

/** Month and weekday names, long and short. */
function calendarWords(): Set<string> {
  const words = new Set<string>();
  for (const locale of calendars)
    for (const style of ['long', 'short'] as const) {
      const month = new Intl.DateTimeFormat(locale, { month: style, timeZone: 'UTC' });
      const weekday = new Intl.DateTimeFormat(locale, { weekday: style, timeZone: 'UTC' });
      for (let i = 0; i < 12; i++)
        for (const word of contentWords(month.format(Date.UTC(2024, i, 1)))) words.add(word);
      for (let i = 0; i < 7; i++)
        for (const word of contentWords(weekday.format(Date.UTC(2024, 0, i + 1)))) words.add(word);
    }
  return words;
}
let calendar: Set<string> | undefined;

/** Whether a name says what is in the photos: some word of it is neither a number, a date nor a word for any album. */
export function saysSomething(name: string): boolean {
  calendar ??= calendarWords();
  const known = calendar;
  return contentWords(name).some(
    (word) => /\p{L}/u.test(word) && !/^\p{N}/u.test(word) && !general.has(word) && !known.has(word),
  );
}

/**
 * The photos of an album that are used, always the same ones for a seed.
 * @param keys of its photos. @param library how many photos are indexed.
 */
export function drawFromAlbum(keys: readonly string[], library: number, seed: number): string[] {
  const most = keys.length > largeShare * library ? mostOfLarge : mostPhotos;
  return keys.length <= most ? [...keys] : stableOrder(keys, seed).slice(0, most);
}
