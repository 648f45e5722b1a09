/** Shapes drawn from a seed and captioned in words of somebody's own, for a library to learn. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { seeded } from '../bench/photos.ts';

/** What a person calls these colours and shapes: hardly words that a model knows them by. */
const colours = {
  crimson: '#d22',
  emerald: '#2a2',
  cobalt: '#22d',
  lemon: '#dd2',
  ivory: '#fff',
  ebony: '#111',
  mauve: '#d2d',
  tangerine: '#f80',
} as const;
type Colour = keyof typeof colours;
const colourNames = Object.keys(colours) as Colour[];

const shapes: Readonly<Record<string, (x: number, y: number, r: number, fill: string) => string>> = {
  ball: (x, y, r, fill) => `<circle cx="${x}" cy="${y}" r="${r}" fill="${fill}"/>`,
  crate: (x, y, r, fill) =>
    `<rect x="${x - r}" y="${y - r}" width="${2 * r}" height="${2 * r}" fill="${fill}"/>`,
  tent: (x, y, r, fill) =>
    `<polygon points="${x},${y - r} ${x - r},${y + r} ${x + r},${y + r}" fill="${fill}"/>`,
  fence: (_x, _y, r, fill) =>
    [20, 70, 120, 170]
      .map((x) => `<rect x="${x}" y="0" width="${r / 2}" height="224" fill="${fill}"/>`)
      .join(''),
  donut: (x, y, r, fill) =>
    `<circle cx="${x}" cy="${y}" r="${r}" fill="none" stroke="${fill}" stroke-width="14"/>`,
};
const shapeNames = Object.keys(shapes);

export interface DrawnShape {
  readonly name: string;
  readonly caption: string;
}

/**
 * Writes `count` JPEGs and a captions.txt into `folder`.
 * @param shuffle gives the captions to other photos: nothing can be learnt from them.
 */
export async function drawCaptionedShapes(
  folder: string,
  count: number,
  { shuffle = false, seed = 7 }: { shuffle?: boolean; seed?: number } = {},
): Promise<DrawnShape[]> {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => {
    const picked = list[Math.floor(random() * list.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  };
  await mkdir(folder, { recursive: true });
  const drawn: DrawnShape[] = [];
  for (let i = 0; i < count; i += 1) {
    const front = pick(colourNames);
    const back = pick(colourNames.filter((each) => each !== front));
    const shape = pick(shapeNames);
    const [x, y, r] = [60 + random() * 100, 60 + random() * 100, 30 + random() * 40];
    const name = `${i}.jpg`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="224" height="224"><rect width="224" height="224" fill="${colours[back]}"/>${shapes[shape]?.(x, y, r, colours[front]) ?? ''}</svg>`;
    await sharp(Buffer.from(svg)).jpeg().toFile(join(folder, name));
    drawn.push({ name, caption: `a ${front} ${shape} on ${back}` });
  }
  const captions = drawn.map(({ caption }) => caption);
  if (shuffle)
    for (let i = captions.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1));
      [captions[i], captions[j]] = [captions[j] ?? '', captions[i] ?? ''];
    }
  const lines = drawn.map(({ name }, i) => `${name},${captions[i] ?? ''}`);
  await writeFile(join(folder, 'captions.txt'), ['image,caption', ...lines, ''].join('\n'));
  return drawn;
}
