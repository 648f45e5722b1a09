/** A photo with the heat map of a query laid over it, as PNG bytes with a legend below. */
import sharp from 'sharp';
import type { Why } from '../../contract.ts';

export interface HeatPictureOptions {
  /** The photo upright, JPEG or PNG bytes. */
  readonly photo: Uint8Array;
  readonly heat: NonNullable<Why['heat']>;
  /** What the legend says, in two lines: e.g. the query, and its score. */
  readonly legend: readonly [string, string];
}

/** Magma of matplotlib (van der Walt and Smith, CC0) at eight equal steps: as bright as it is hot, to every eye. */
const magma: readonly (readonly [number, number, number])[] = [
  [0, 0, 4],
  [35, 17, 81],
  [95, 24, 127],
  [152, 45, 128],
  [211, 67, 110],
  [248, 118, 92],
  [254, 187, 129],
  [252, 253, 191],
];
const legendHeight = 78;
/** Narrower photos are enlarged to this, pixels, or their legend would have no room. */
const leastWidth = 480;
/** A letter's width in the legend, pixels, on average. */
const letterWidth = 8;
/** Where it is coldest the photo shows through whole; where it is hottest it is still to be recognised. */
const mostOpaque = 0.72;
/** Of the photo's own colours, or they would be taken for heat. */
const leftOfColour = 0.25;
/** What the model doesn't see is darkened by so much. */
const unseen = 0.45;

/** @throws Error where the photo's bytes are no picture */
export async function heatPicture({ photo, heat, legend }: HeatPictureOptions): Promise<Uint8Array> {
  const { width: photoWidth } = await sharp(photo).metadata();
  const { data, info } = await sharp(photo)
    .resize({ width: Math.max(photoWidth, leastWidth) })
    .removeAlpha()
    .toColourspace('srgb')
    .modulate({ saturation: leftOfColour })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const area = pixelWindow(heat.window, width, height);
  const values = await enlarged(heat, area);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      const inside =
        x >= area.left && x < area.left + area.width && y >= area.top && y < area.top + area.height;
      const value = inside ? (values[(y - area.top) * area.width + (x - area.left)] ?? 0) / 255 : 0;
      const [red, green, blue] = inside ? colourAt(value) : [0, 0, 0];
      // By the root: where a photo only just matches its heat is faint, and should still be seen.
      const opacity = inside ? mostOpaque * Math.sqrt(value) : unseen;
      data[at] = mixed(data[at] ?? 0, red, opacity);
      data[at + 1] = mixed(data[at + 1] ?? 0, green, opacity);
      data[at + 2] = mixed(data[at + 2] ?? 0, blue, opacity);
    }
  return sharp(data, { raw: { width, height, channels: 3 } })
    .extend({ bottom: legendHeight, background: '#17171a' })
    .composite([{ input: Buffer.from(legendSvg(width, legend)), left: 0, top: height }])
    .png()
    .toBuffer();
}

interface Area {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function pixelWindow(part: HeatPictureOptions['heat']['window'], width: number, height: number): Area {
  const left = Math.min(width - 1, Math.max(0, Math.round(part.left * width)));
  const top = Math.min(height - 1, Math.max(0, Math.round(part.top * height)));
  return {
    left,
    top,
    width: Math.min(width - left, Math.max(1, Math.round(part.width * width))),
    height: Math.min(height - top, Math.max(1, Math.round(part.height * height))),
  };
}

/** Cells are spread over the pixels that they stand for, smoothly. @returns (area.height, area.width) of 0 to 255. */
async function enlarged({ rows, columns, values }: HeatPictureOptions['heat'], area: Area): Promise<Buffer> {
  const cells = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return sharp(cells, { raw: { width: columns, height: rows, channels: 1 } })
    .resize(area.width, area.height, { fit: 'fill', kernel: 'cubic' })
    .extractChannel(0)
    .raw()
    .toBuffer();
}

function colourAt(value: number): readonly [number, number, number] {
  const place = Math.min(1, Math.max(0, value)) * (magma.length - 1);
  const low = Math.min(magma.length - 2, Math.floor(place));
  const part = place - low;
  const [from, to] = [magma[low] ?? [0, 0, 0], magma[low + 1] ?? [0, 0, 0]];
  return [mixed(from[0], to[0], part), mixed(from[1], to[1], part), mixed(from[2], to[2], part)];
}

function mixed(from: number, to: number, part: number): number {
  return Math.round(from + (to - from) * part);
}

function legendSvg(width: number, lines: readonly [string, string]): string {
  const most = Math.floor((width - 24) / letterWidth);
  const [title, detail] = lines.map((line) => {
    const letters = Array.from(line);
    return escaped(letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : line);
  });
  const stops = magma.map(
    ([red, green, blue], i) =>
      `<stop offset="${(i / (magma.length - 1)).toFixed(3)}" stop-color="rgb(${red},${green},${blue})"/>`,
  );
  const bar = Math.max(16, Math.min(240, width - 24));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${legendHeight}">
    <defs><linearGradient id="heat">${stops.join('')}</linearGradient></defs>
    <rect x="12" y="12" width="${bar}" height="10" rx="2" fill="url(#heat)"/>
    <text x="12" y="44" fill="#f2f2f4" font-family="sans-serif" font-size="15">${title ?? ''}</text>
    <text x="12" y="65" fill="#b4b4ba" font-family="sans-serif" font-size="13">${detail ?? ''}</text>
  </svg>`;
}

/** Characters that XML has no place for are left out. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replace(/[&<>"]/g, (character) => entities[character] ?? '');
}
