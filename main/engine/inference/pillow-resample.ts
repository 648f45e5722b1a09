/**
 * Pillow's antialiased resampling for 8-bit RGB: the resampler that CLIP and SigLIP were trained behind, bit for bit.
 * Algorithm and constants after Pillow's src/libImaging/Resample.c: separable, kernel stretched by the reduction,
 * coefficients in fixed point with 22 fractional bits. The horizontal pass is first, as in every Pillow up to 12;
 * Pillow 13 turns the order round for some shapes, which moves a few pixels by one level.
 */

/** An (height, width, 3) uint8 RGB image, row-major. */
export interface RgbImage {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Pillow's numbers: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic. */
export type Resample = 0 | 1 | 2 | 3;

/** 32 bits, less 8 for the pixel, less 2 for the kernel's overshoot. */
const fractionBits = 32 - 8 - 2;

interface Kernel {
  readonly support: number;
  readonly weight: (x: number) => number;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

const kernels: Readonly<Record<1 | 2 | 3, Kernel>> = {
  1: { support: 3, weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
  2: {
    support: 1,
    weight: (x) => {
      const distance = Math.abs(x);
      return distance < 1 ? 1 - distance : 0;
    },
  },
  3: {
    support: 2,
    // Keys' cubic with a = -0.5, as Pillow and torchvision use it (OpenCV has -0.75).
    weight: (x) => {
      const a = -0.5;
      const distance = Math.abs(x);
      if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
      if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
      return 0;
    },
  },
};

interface Taps {
  /** First source position of each output position. */
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** `size` fixed-point weights for each output position. */
  readonly weights: Int32Array;
  readonly size: number;
}

/** @param from,to the output positions wanted, end exclusive. */
function taps(inputSize: number, outputSize: number, kernel: Kernel, from: number, to: number): Taps {
  const scale = inputSize / outputSize;
  const filterScale = Math.max(1, scale);
  const support = kernel.support * filterScale;
  const size = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(to - from);
  const counts = new Int32Array(to - from);
  const weights = new Int32Array((to - from) * size);
  const row = new Float64Array(size);
  for (let output = from; output < to; output++) {
    const slot = output - from;
    const center = (output + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(inputSize, Math.trunc(center + support + 0.5)) - start;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const weight = kernel.weight((i + start - center + 0.5) / filterScale);
      row[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < count; i++) {
      const weight = sum === 0 ? (row[i] ?? 0) : (row[i] ?? 0) / sum;
      weights[slot * size + i] = Math.trunc((weight < 0 ? -0.5 : 0.5) + weight * 2 ** fractionBits);
    }
    starts[slot] = start;
    counts[slot] = count;
  }
  return { starts, counts, weights, size };
}

/** A rectangle of the resized image, in its pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Resizes to exactly width x height, as `Image.resize((width, height), resample)` does, and returns the window of it
 * (all of it by default). Only the window is computed, so a long panorama costs no more than a square.
 * Equal to Pillow's result for every 8-bit RGB input.
 */
export function resampleLikePillow(
  image: RgbImage,
  width: number,
  height: number,
  resample: Resample,
  window: Window = { left: 0, top: 0, width, height },
): RgbImage {
  const columns = { from: window.left, to: window.left + window.width };
  const rows = { from: window.top, to: window.top + window.height };
  if (resample === 0) return nearest(image, width, height, columns, rows);
  const kernel = kernels[resample];
  // Pillow leaves out the pass of an axis that keeps its size; one tap of weight 1 is the same.
  const across = taps(image.width, width, kernel, columns.from, columns.to);
  const down = taps(image.height, height, kernel, rows.from, rows.to);
  const last = window.height - 1;
  const firstRow = down.starts[0] ?? 0;
  const endRow = (down.starts[last] ?? 0) + (down.counts[last] ?? 0);
  const band = {
    data: image.data.subarray(firstRow * image.width * 3, endRow * image.width * 3),
    width: image.width,
    height: endRow - firstRow,
  };
  return vertical(horizontal(band, window.width, across), window.height, down, firstRow);
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/* The inner loops index typed arrays whose bounds the taps guarantee; `?? 0` there would cost a third of the time. */
/* eslint-disable @typescript-eslint/no-non-null-assertion */

function clip8(sum: number): number {
  const value = sum >> fractionBits;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

function horizontal({ data, width, height }: RgbImage, newWidth: number, taps: Taps): RgbImage {
  const result = new Uint8Array(newWidth * height * 3);
  const { starts, counts, weights, size } = taps;
  const half = 1 << (fractionBits - 1);
  for (let y = 0; y < height; y++) {
    const rowStart = y * width * 3;
    let to = y * newWidth * 3;
    for (let x = 0; x < newWidth; x++) {
      let red = half;
      let green = half;
      let blue = half;
      let from = rowStart + starts[x]! * 3;
      const end = x * size + counts[x]!;
      for (let k = x * size; k < end; k++) {
        const weight = weights[k]!;
        red = (red + Math.imul(data[from]!, weight)) | 0;
        green = (green + Math.imul(data[from + 1]!, weight)) | 0;
        blue = (blue + Math.imul(data[from + 2]!, weight)) | 0;
        from += 3;
      }
      result[to] = clip8(red);
      result[to + 1] = clip8(green);
      result[to + 2] = clip8(blue);
      to += 3;
    }
  }
  return { data: result, width: newWidth, height };
}

function vertical({ data, width }: RgbImage, newHeight: number, taps: Taps, firstRow: number): RgbImage {
  const stride = width * 3;
  const result = new Uint8Array(stride * newHeight);
  const { starts, counts, weights, size } = taps;
  const half = 1 << (fractionBits - 1);
  const sums = new Int32Array(stride);
  for (let y = 0; y < newHeight; y++) {
    sums.fill(half);
    const start = starts[y]! - firstRow;
    for (let k = 0; k < counts[y]!; k++) {
      const weight = weights[y * size + k]!;
      const from = (start + k) * stride;
      for (let i = 0; i < stride; i++) sums[i] = sums[i]! + Math.imul(data[from + i]!, weight);
    }
    const to = y * stride;
    for (let i = 0; i < stride; i++) result[to + i] = clip8(sums[i]!);
  }
  return { data: result, width, height: newHeight };
}

function nearest(
  image: RgbImage,
  newWidth: number,
  newHeight: number,
  columns: Range,
  rows: Range,
): RgbImage {
  const { data, width, height } = image;
  const result = new Uint8Array((columns.to - columns.from) * (rows.to - rows.from) * 3);
  let to = 0;
  for (let y = rows.from; y < rows.to; y++) {
    const fromRow = Math.min(height - 1, Math.trunc(((y + 0.5) * height) / newHeight)) * width;
    for (let x = columns.from; x < columns.to; x++) {
      const from = (fromRow + Math.min(width - 1, Math.trunc(((x + 0.5) * width) / newWidth))) * 3;
      result[to] = data[from]!;
      result[to + 1] = data[from + 1]!;
      result[to + 2] = data[from + 2]!;
      to += 3;
    }
  }
  return { data: result, width: columns.to - columns.from, height: rows.to - rows.from };
}
