/** Display P3 to sRGB: iPhones' HEIC photos are in P3, and libheif hands their numbers over as they are. */
import type { RgbImage } from './pillow-resample.ts';

/** Linear Display P3 to linear sRGB, both with a D65 white (W3C CSS Color 4, section 18). */
const matrix = [
  [1.2249401762805598, -0.22494017628055996, 0],
  [-0.042056954709688163, 1.0420569547096881, 0],
  [-0.019637554590334432, -0.078636045550631889, 1.0982736001409663],
] as const;

/** Both spaces share sRGB's curve (IEC 61966-2-1). */
function toLinear(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}
function fromLinear(value: number): number {
  return value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055;
}

const linear = Float64Array.from({ length: 256 }, (_, value) => toLinear(value / 255));
/** Fine enough that its darkest steps are smaller than one level of 8 bits. */
const steps = 8_192;
const encoded = Uint8Array.from({ length: steps + 1 }, (_, step) =>
  Math.round(fromLinear(step / steps) * 255),
);

/** Whether an ICC profile is Display P3, by the name that Apple, Google and the ICC give it. */
export function isDisplayP3(icc: Uint8Array | undefined): boolean {
  if (icc === undefined) return false;
  const bytes = Buffer.from(icc.buffer, icc.byteOffset, icc.byteLength);
  // Descriptions are ASCII in version 2 profiles and UTF-16 in version 4.
  return (
    bytes.includes('Display P3', 0, 'latin1') || bytes.includes(Buffer.from('Display P3', 'utf16le').swap16())
  );
}

/** @returns a new image; colours outside of sRGB are clipped to its border. */
export function displayP3ToSrgb({ data, width, height }: RgbImage): RgbImage {
  const result = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const red = linear[data[i] ?? 0] ?? 0;
    const green = linear[data[i + 1] ?? 0] ?? 0;
    const blue = linear[data[i + 2] ?? 0] ?? 0;
    for (const [channel, [fromRed, fromGreen, fromBlue]] of matrix.entries()) {
      const value = fromRed * red + fromGreen * green + fromBlue * blue;
      result[i + channel] = encoded[Math.round(Math.min(1, Math.max(0, value)) * steps)] ?? 0;
    }
  }
  return { data: result, width, height };
}
