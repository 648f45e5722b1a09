/** Tells what a file is by its first bytes, never by its name. */

export type Sniffed =
  /** A format that a decoder here reads. */
  | { readonly kind: 'readable'; readonly name: string }
  /** A picture (or nearly one) that no decoder here reads. */
  | { readonly kind: 'unsupported'; readonly name: string }
  | { readonly kind: 'unknown' };

/** How many bytes `sniffFormat` wants; fewer are fine when the file is shorter. */
export const sniffBytes = 4096;

const brandsOfHeif = new Set([
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'mif1',
  'msf1',
  'avif',
  'avis',
]);

/** Signatures from the formats' own specifications; `?` in a signature stands for any byte. */
const signatures: readonly (readonly [signature: string, readable: boolean, name: string])[] = [
  ['\xff\xd8\xff', true, 'JPEG'],
  ['\x89PNG\r\n\x1a\n', true, 'PNG'],
  ['GIF8', true, 'GIF'],
  ['RIFF????WEBP', true, 'WebP'],
  // Panasonic and Olympus raw files are TIFF-like with a magic number of their own.
  ['IIU\0', false, 'Panasonic RAW'],
  ['IIRO', false, 'Olympus RAW'],
  ['II*\0????????CR', false, 'Canon RAW'],
  ['II*\0', true, 'TIFF'],
  ['MM\0*', true, 'TIFF'],
  ['II+\0', true, 'TIFF'],
  ['MM\0+', true, 'TIFF'],
  ['FUJIFILMCCD-RAW', false, 'Fujifilm RAW'],
  ['BM', false, 'BMP'],
  ['8BPS', false, 'Photoshop'],
  ['\0\0\x01\0', false, 'icon'],
  ['\0\0\x02\0', false, 'cursor'],
  ['\0\0\0\x0cjP  ', false, 'JPEG 2000'],
  ['\xff\x4f\xff\x51', false, 'JPEG 2000'],
  ['\0\0\0\x0cJXL ', false, 'JPEG XL'],
  ['\xff\x0a', false, 'JPEG XL'],
  ['qoif', false, 'QOI'],
  ['%PDF', false, 'PDF'],
  ['v/1\x01', false, 'OpenEXR'],
  ['#?RADIANCE', false, 'Radiance HDR'],
  ['DDS ', false, 'DirectDraw'],
  ['P1', false, 'portable bitmap'],
  ['P2', false, 'portable graymap'],
  ['P3', false, 'portable pixmap'],
  ['P4', false, 'portable bitmap'],
  ['P5', false, 'portable graymap'],
  ['P6', false, 'portable pixmap'],
  ['\x0a\x05\x01', false, 'PCX'],
];

/** @param head the file's first bytes, `sniffBytes` of them where there are as many. */
export function sniffFormat(head: Uint8Array): Sniffed {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.byteLength, sniffBytes)).toString(
    'latin1',
  );
  for (const [signature, readable, name] of signatures) {
    if (matches(text, signature)) return { kind: readable ? 'readable' : 'unsupported', name };
  }
  if (text.slice(4, 8) === 'ftyp') {
    // The major brand may be a general one with the image brand among the compatible ones.
    const size = Math.min(64, head[3] ?? 0);
    for (let at = 8; at + 4 <= Math.max(12, size); at += at === 8 ? 8 : 4) {
      const brand = text.slice(at, at + 4);
      if (brandsOfHeif.has(brand))
        return { kind: 'readable', name: brand.startsWith('av') ? 'AVIF' : 'HEIC' };
    }
    return { kind: 'unsupported', name: 'video' };
  }
  if (
    /^(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i.test(text)
  ) {
    return { kind: 'unsupported', name: 'SVG' };
  }
  return { kind: 'unknown' };
}

function matches(text: string, signature: string): boolean {
  if (text.length < signature.length) return false;
  for (let i = 0; i < signature.length; i++) {
    if (signature[i] !== '?' && signature[i] !== text[i]) return false;
  }
  return true;
}
