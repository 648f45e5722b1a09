/** Landscapes drawn from a seed, for screenshots that show no one's photos: seas, mountains, fields, nights, flowers. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { seeded } from '../bench/photos.ts';

type Random = () => number;
const between = (random: Random, low: number, high: number): number => low + random() * (high - low);

function ridge(random: Random, width: number, y: number, rough: number, bottom: number): string {
  const points = [`0,${bottom}`];
  let height = y;
  for (let x = 0; x <= width; x += width / 24) {
    height += between(random, -rough, rough);
    points.push(`${x.toFixed(0)},${height.toFixed(0)}`);
  }
  return [...points, `${width},${bottom}`].join(' ');
}

function sky(top: string, middle: string, low: string): string {
  return `<linearGradient id="sky" x2="0" y2="1"><stop stop-color="${top}"/><stop offset=".55" stop-color="${middle}"/><stop offset="1" stop-color="${low}"/></linearGradient>`;
}

const skies = [
  ['#2b5c9e', '#7fb0de', '#dfeefa'],
  ['#1d2b5a', '#b5566f', '#f7b267'],
  ['#3a3f73', '#d97f6a', '#ffd9a0'],
  ['#5f86a8', '#a9c1d1', '#e9eef0'],
] as const;

const scenes: Readonly<Record<string, (random: Random, w: number, h: number) => string>> = {
  sea(random, w, h) {
    const [a, b, c] = skies[Math.floor(random() * 3)] ?? skies[0];
    const horizon = between(random, 0.45, 0.6) * h;
    const sunX = between(random, 0.2, 0.8) * w;
    const waves = Array.from({ length: 90 }, () => {
      const y = between(random, horizon + 4, h * 0.86);
      const x = between(random, 0, w);
      return `<ellipse cx="${x}" cy="${y}" rx="${between(random, 20, 120)}" ry="1.6" fill="#fff" opacity="${between(random, 0.05, 0.25)}"/>`;
    });
    return `<defs>${sky(a, b, c)}<linearGradient id="sea" x2="0" y2="1"><stop stop-color="${b}"/><stop offset="1" stop-color="#123a55"/></linearGradient></defs>
      <rect width="${w}" height="${h}" fill="url(#sky)"/><circle cx="${sunX}" cy="${horizon - h * 0.08}" r="${h * 0.05}" fill="#fff3cf"/>
      <rect y="${horizon}" width="${w}" height="${h}" fill="url(#sea)"/>${waves.join('')}
      <polygon points="${ridge(random, w, h * 0.88, h * 0.012, h)}" fill="#d9bf92"/>`;
  },
  mountains(random, w, h) {
    const [a, b, c] = skies[random() < 0.6 ? 0 : 3];
    const layers = [0.42, 0.55, 0.68].map(
      (at, i) =>
        `<polygon points="${ridge(random, w, at * h, h * (0.06 - i * 0.012), h)}" fill="${['#8fa6bd', '#5e7a92', '#2f4a53'][i]}"/>`,
    );
    return `<defs>${sky(a, b, c)}</defs><rect width="${w}" height="${h}" fill="url(#sky)"/>${layers.join('')}<rect y="${h * 0.86}" width="${w}" height="${h}" fill="#27402f"/>`;
  },
  field(random, w, h) {
    const [a, b, c] = skies[Math.floor(random() * 4)] ?? skies[0];
    const flowers = Array.from({ length: 260 }, () => {
      const y = between(random, 0.62, 1) * h;
      const colour = ['#e2453c', '#f2c53d', '#f4f0e6', '#8b5fc7'][Math.floor(random() * 4)] ?? '#fff';
      return `<circle cx="${between(random, 0, w)}" cy="${y}" r="${((y / h - 0.55) * h) / 34}" fill="${colour}"/>`;
    });
    return `<defs>${sky(a, b, c)}</defs><rect width="${w}" height="${h}" fill="url(#sky)"/>
      <polygon points="${ridge(random, w, h * 0.56, h * 0.015, h)}" fill="#6f9a45"/><polygon points="${ridge(random, w, h * 0.66, h * 0.012, h)}" fill="#4f7f35"/>${flowers.join('')}`;
  },
  forest(random, w, h) {
    const trees = Array.from({ length: 70 }, (_, i) => {
      const x = between(random, 0, w);
      const base = h * (0.6 + (i / 70) * 0.4);
      const tall = h * between(random, 0.22, 0.42) * (0.6 + i / 120);
      return `<polygon points="${x - tall * 0.22},${base} ${x},${base - tall} ${x + tall * 0.22},${base}" fill="hsl(${between(random, 105, 150)} ${between(random, 25, 45)}% ${between(random, 14, 32)}%)"/>`;
    });
    return `<defs>${sky('#b9cdd6', '#d9e4e2', '#eef1ea')}</defs><rect width="${w}" height="${h}" fill="url(#sky)"/>${trees.join('')}`;
  },
  night(random, w, h) {
    const stars = Array.from(
      { length: 220 },
      () =>
        `<circle cx="${between(random, 0, w)}" cy="${between(random, 0, h * 0.7)}" r="${between(random, 0.4, 1.8)}" fill="#fff" opacity="${between(random, 0.3, 1)}"/>`,
    );
    const houses = Array.from({ length: 16 }, (_, i) => {
      const tall = between(random, 0.12, 0.45) * h;
      const x = (i * w) / 16;
      const lights = Array.from(
        { length: 12 },
        () =>
          `<rect x="${x + between(random, 4, w / 16 - 10)}" y="${h - between(random, 8, tall - 6)}" width="6" height="8" fill="#ffd37a" opacity="${between(random, 0.3, 1)}"/>`,
      );
      return `<rect x="${x}" y="${h - tall}" width="${w / 16 + 1}" height="${tall}" fill="#0d1222"/>${lights.join('')}`;
    });
    return `<defs>${sky('#060a1c', '#16224a', '#43406e')}</defs><rect width="${w}" height="${h}" fill="url(#sky)"/>${stars.join('')}<circle cx="${between(random, 0.15, 0.85) * w}" cy="${h * 0.2}" r="${h * 0.06}" fill="#f4efd9"/>${houses.join('')}`;
  },
  flower(random, w, h) {
    const hue = [350, 45, 280, 20, 325][Math.floor(random() * 5)] ?? 350;
    const petals = Array.from({ length: 12 }, (_, i) => {
      const angle = i * 30 + between(random, -4, 4);
      return `<ellipse cx="${w / 2}" cy="${h * 0.28}" rx="${h * 0.085}" ry="${h * 0.2}" fill="hsl(${hue} 75% ${between(random, 48, 66)}%)" transform="rotate(${angle} ${w / 2} ${h * 0.46})"/>`;
    });
    return `<defs><radialGradient id="bg"><stop stop-color="#7fa35a"/><stop offset="1" stop-color="#2c4a2a"/></radialGradient></defs><rect width="${w}" height="${h}" fill="url(#bg)"/>
      <rect x="${w / 2 - 6}" y="${h * 0.5}" width="12" height="${h}" fill="#3f6b2f"/>${petals.join('')}<circle cx="${w / 2}" cy="${h * 0.46}" r="${h * 0.08}" fill="#e9b93a"/>`;
  },
};

const shapes = [
  [1200, 800],
  [1200, 900],
  [900, 1200],
  [1500, 844],
] as const;

/** As a camera numbers them. */
const firstNumber = 1_000;

/** What a file of `drawScenes` shows: sea, mountains, field, forest, night or flower. */
export function sceneOf(name: string): string {
  const names = Object.keys(scenes);
  return names[(Number(/\d+/.exec(name)?.[0]) - firstNumber) % names.length] ?? '';
}

/** Writes `count` JPEGs with EXIF dates and a camera into `folder`. */
export async function drawScenes(folder: string, count: number): Promise<void> {
  const random = seeded(11);
  const names = Object.keys(scenes);
  for (let i = 0; i < count; i += 1) {
    const name = names[i % names.length] ?? 'sea';
    const year = 2019 + (i % 7);
    const [w, h] = shapes[Math.floor(random() * shapes.length)] ?? shapes[0];
    const drawn = scenes[name]?.(random, w, h) ?? '';
    const grain = await sharp({
      create: {
        width: w,
        height: h,
        channels: 3,
        background: '#808080',
        noise: { type: 'gaussian', mean: 128, sigma: 9 },
      },
    })
      .png()
      .toBuffer();
    const place = join(folder, String(year));
    await mkdir(place, { recursive: true });
    const two = (value: number): string => String(value).padStart(2, '0');
    await sharp(
      Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}">${drawn}</svg>`),
    )
      .blur(1.2)
      .composite([{ input: grain, blend: 'soft-light' }])
      .jpeg({ quality: 88 })
      .withExif({
        IFD0: { Make: 'FUJIFILM', Model: 'X-T5' },
        IFD2: { DateTimeOriginal: `${year}:${two(1 + (i % 12))}:${two(1 + (i % 27))} 17:${two(i % 60)}:00` },
      })
      .toFile(join(place, `DSC_${String(firstNumber + i)}.jpg`));
  }
}
