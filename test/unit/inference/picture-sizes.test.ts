/** Sizes of pictures for models that don't take squares; expected ones from transformers 5.23's image processors. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { resizedSize } from '../../../main/engine/inference/preprocess.ts';
import type { ImageSpec } from '../../../main/engine/packs/types.ts';

const spec = (resize: ImageSpec['resize']): ImageSpec => ({
  resize,
  crop: null,
  resample: 3,
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
});
type Row = readonly [width: number, height: number, toWidth: number, toHeight: number];

function expectSizes(resize: ImageSpec['resize'], rows: readonly Row[]): void {
  for (const [width, height, toWidth, toHeight] of rows) {
    assert.deepEqual(
      resizedSize({ width, height }, spec(resize)),
      { width: toWidth, height: toHeight },
      `${String(width)} x ${String(height)}`,
    );
  }
}

test('ViLT: shorter side 384, longer at most 639, both down to multiples of 32', () => {
  expectSizes({ shortestEdge: 384, longestEdge: 639, multipleOf: 32 }, [
    [640, 480, 512, 384],
    [480, 640, 384, 512],
    [1000, 1000, 384, 384],
    [3000, 500, 608, 96],
    [500, 3000, 96, 608],
    [33, 90, 224, 608],
    [1920, 1080, 608, 352],
    [4000, 3001, 512, 384],
    [100, 10, 608, 64],
    // The reference fails here with a side of zero.
    [10_000, 10, 608, 32],
  ]);
});

test('Idefics 3: the longer side to 2048, both up to whole tiles', () => {
  expectSizes({ longestEdge: 2048, tile: 512 }, [
    [640, 480, 2048, 1536],
    [480, 640, 1536, 2048],
    [1000, 1000, 2048, 2048],
    [3000, 500, 2048, 512],
    [500, 3000, 512, 2048],
    [33, 90, 1024, 2048],
    [1920, 1080, 2048, 1536],
  ]);
});
