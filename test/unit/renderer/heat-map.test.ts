import assert from 'node:assert/strict';
import test from 'node:test';
import { coloured, standsOut, upsample } from '../../../renderer/src/viewer/heat-map.ts';

const grid = { rows: 2, columns: 3, values: [0, 0.5, 1, 0.2, 0.4, 0.6] };

test('an odd scale meets every cell’s own value at its centre', () => {
  const scale = 5;
  const smooth = upsample(grid, scale);
  assert.equal(smooth.length, 2 * 3 * scale * scale);
  for (let row = 0; row < grid.rows; row++) {
    for (let column = 0; column < grid.columns; column++) {
      const centre = (row * scale + 2) * grid.columns * scale + column * scale + 2;
      assert.ok(Math.abs((smooth[centre] ?? NaN) - (grid.values[row * 3 + column] ?? NaN)) < 1e-6);
    }
  }
});

test('between cells it is smooth and never leaves 0 to 1', () => {
  const steep = { rows: 1, columns: 6, values: [0, 0, 1, 1, 0, 0] };
  const smooth = upsample(steep, 16);
  const line = smooth.subarray(0, 96);
  assert.ok(line.every((value) => value >= 0 && value <= 1));
  const steps = Array.from(line.subarray(1), (value, at) => Math.abs(value - (line[at] ?? 0)));
  assert.ok(Math.max(...steps) < 0.12, 'no edge is left between neighbours');
});

test('a grid of one cell is one value everywhere', () => {
  assert.ok(
    upsample({ rows: 1, columns: 1, values: [0.7] }, 4).every((value) => Math.abs(value - 0.7) < 1e-6),
  );
});

test('more is lighter, and covers no more of the photo', () => {
  const pixels = coloured([0, 0.25, 0.5, 0.75, 1]);
  const lightness = [0, 1, 2, 3, 4].map(
    (at) =>
      0.2126 * (pixels[at * 4] ?? 0) +
      0.7152 * (pixels[at * 4 + 1] ?? 0) +
      0.0722 * (pixels[at * 4 + 2] ?? 0),
  );
  const cover = [0, 1, 2, 3, 4].map((at) => pixels[at * 4 + 3] ?? 0);
  assert.deepEqual(
    lightness,
    [...lightness].sort((a, b) => a - b),
  );
  assert.ok((lightness[4] ?? 0) > 200 && (lightness[0] ?? 255) < 5);
  assert.deepEqual(
    cover,
    [...cover].sort((a, b) => b - a),
  );
});

test('a photo that shows nothing of the search has no hot spot', () => {
  assert.equal(standsOut({ rows: 1, columns: 3, values: [0.02, 0.1, 0.14] }), false);
  assert.equal(standsOut({ rows: 1, columns: 3, values: [0.02, 0.1, 0.4] }), true);
  assert.equal(standsOut({ rows: 0, columns: 0, values: [] }), false);
});
