/** Drawn pictures of sixteen kinds, and words for them that no model knows them by: a library with something to learn. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { seeded } from '../../bench/photos.ts';

type Between = (low: number, high: number) => number;
type Draw = (at: Between, colour: () => string) => string;

/** Invented; the shipped pack puts them in directions far from each other. */
export const words = [
  ...['kiwsed', 'mavlib', 'hadlen', 'wutmit', 'likhit', 'bohgib', 'misvo', 'nacbu'],
  ...['fevvo', 'cesgo', 'kinmi', 'korsom', 'dopvun', 'hubpo', 'zorble', 'wembly'],
] as const;

const size = 192;
const many = (count: number, one: (i: number) => string): string =>
  Array.from({ length: Math.round(count) }, (_, i) => one(i)).join('');

const kinds: readonly Draw[] = [
  (at, colour) =>
    many(
      at(6, 14),
      () => `<circle cx="${at(0, size)}" cy="${at(0, size)}" r="${at(6, 26)}" fill="${colour()}"/>`,
    ),
  (at, colour) => {
    const width = at(8, 20);
    return many(
      size / width / 2,
      (i) => `<rect y="${2 * i * width}" width="192" height="${width}" fill="${colour()}"/>`,
    );
  },
  (at, colour) =>
    many(
      at(2, 5),
      () =>
        `<polygon points="${at(20, 170)},${at(10, 80)} ${at(120, 200)},190 ${at(-10, 80)},190" fill="${colour()}"/>`,
    ),
  (at, colour) =>
    many(
      2,
      (i) =>
        `<circle cx="${at(70, 120)}" cy="${at(70, 120)}" r="${at(40, 75) / (1 + 2 * i)}" fill="${colour()}"/>`,
    ),
  (at, colour) =>
    many(
      at(20, 50),
      () =>
        `<line x1="${at(0, size)}" y1="${at(0, size)}" x2="${at(0, size)}" y2="${at(0, size)}" stroke="${colour()}" stroke-width="${at(1, 4)}"/>`,
    ),
  (at, colour) => {
    const side = at(20, 52);
    const columns = Math.ceil(size / side);
    return many(columns ** 2, (i) => {
      const [x, y] = [i % columns, Math.floor(i / columns)];
      if ((x + y) % 2 === 0) return '';
      return `<rect x="${x * side}" y="${y * side}" width="${side}" height="${side}" fill="${colour()}"/>`;
    });
  },
  (at, colour) =>
    many(2, (i) => `<rect y="${at(80, 120) + 40 * i}" width="192" height="192" fill="${colour()}"/>`),
  (at, colour) =>
    many(at(4, 9), () => {
      const [x, y, reach] = [at(20, 170), at(20, 170), at(14, 34)];
      return many(
        6,
        (i) =>
          `<ellipse cx="${x}" cy="${y - reach / 2}" rx="${reach / 4}" ry="${reach / 2}" fill="${colour()}" transform="rotate(${60 * i} ${x} ${y})"/>`,
      );
    }),
];

/** Each kind in warm colours has one word, in cold ones another. @returns the word of picture n. */
export const wordOf = (n: number): string => words[n % words.length] ?? '';

/** Writes `count` pictures as 000.png and on. @returns their names, in order. */
export async function drawWords(folder: string, count: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const random = seeded(7);
  const at: Between = (low, high) => low + random() * (high - low);
  const names: string[] = [];
  for (let n = 0; n < count; n++) {
    const kind = n % words.length;
    const hue = kind < kinds.length ? at(-20, 60) : at(180, 260);
    const [saturation, light] = [at(40, 95), at(30, 55)];
    const colour = (): string => `hsl(${hue + at(-20, 20)} ${saturation}% ${light + at(-8, 8)}%)`;
    const ground = `hsl(${at(0, 360)} ${at(10, 60)}% ${at(60, 92)}%)`;
    const drawn = kinds[kind % kinds.length]?.(at, colour) ?? '';
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="${size}" height="${size}" fill="${ground}"/>${drawn}</svg>`;
    const name = `${String(n).padStart(3, '0')}.png`;
    await sharp(Buffer.from(svg)).png().toFile(join(folder, name));
    names.push(name);
  }
  return names;
}
