/** Says from a file's first bytes which picture it is, so that nothing else is ever served under a photo's id. */

/** How many bytes `imageType` looks at. */
export const sniffLength = 32;

const heif = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1']);

/**
 * @param mime what the decoder recognised when it indexed the photo: for formats without a mark known here.
 * @returns undefined for anything that is not a raster picture (SVG is a document with scripts).
 */
export function imageType(head: Uint8Array, mime: string): string | undefined {
  const text = Buffer.from(head).toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'image/gif';
  if (text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP') return 'image/webp';
  if (['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].includes(text.slice(0, 4))) return 'image/tiff';
  if (text.slice(4, 8) === 'ftyp') {
    const brand = text.slice(8, 12);
    // A file of brand mif1 says among its compatible brands whether AV1 or HEVC is inside.
    if (brand === 'avif' || brand === 'avis' || text.slice(16).includes('avif')) return 'image/avif';
    if (heif.has(brand)) return 'image/heic';
  }
  return /^image\/(jxl|jp2|bmp|x-portable-\w+|vnd\.adobe\.photoshop|x-icon|fits|hdr|vnd\.radiance)$/.test(
    mime,
  ) && !/^\s*</.test(text)
    ? mime
    : undefined;
}
