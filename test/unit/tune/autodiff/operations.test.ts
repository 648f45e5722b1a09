import test from 'node:test';
import * as arithmetic from '../../../../main/engine/tune/autodiff/arithmetic.ts';
import * as algebra from '../../../../main/engine/tune/autodiff/linear-algebra.ts';
import * as shaping from '../../../../main/engine/tune/autodiff/shaping.ts';
import { input, type Tensor } from '../../../../main/engine/tune/autodiff/tensor.ts';
import { checkGradients, type CheckedInput } from './gradient-check.ts';

const {
  add,
  atMost,
  divide,
  erf,
  exp,
  gelu,
  log,
  multiply,
  negate,
  relu,
  sigmoid,
  softplus,
  sqrt,
  subtract,
  tanh,
} = arithmetic;
const positive: readonly [number, number] = [0.4, 2];
const matrix: CheckedInput = { shape: [2, 3] };
const indices = input('indices', [4], 'int64');

/** Every operation by name: its inputs, and the expression under test. */
const cases: Readonly<Record<string, readonly [readonly CheckedInput[], (...x: Tensor[]) => Tensor]>> = {
  'Add with broadcasting': [[matrix, { shape: [3] }], (a, b) => add(a, b)],
  'Sub with broadcasting on both sides': [[{ shape: [2, 1] }, { shape: [1, 3] }], (a, b) => subtract(a, b)],
  'Mul of a tensor with itself': [[matrix], (a) => multiply(a, a)],
  'Mul with a scalar': [[matrix, { shape: [] }], (a, b) => multiply(a, b)],
  'Div with broadcasting': [[matrix, { shape: [2, 1], range: positive }], (a, b) => divide(a, b)],
  'a square': [[matrix], (a) => arithmetic.square(a)],
  'a number of what is repeated': [
    [{ shape: [2, 1] }, matrix],
    (a, b) => multiply(arithmetic.scale(shaping.expand(a, [2, 3]), 3), b),
  ],
  Neg: [[matrix], (a) => negate(a)],
  Exp: [[matrix], (a) => exp(a)],
  Log: [[{ shape: [2, 3], range: positive }], (a) => log(a)],
  Sqrt: [[{ shape: [2, 3], range: positive }], (a) => sqrt(a)],
  Tanh: [[matrix], (a) => tanh(a)],
  Sigmoid: [[matrix], (a) => sigmoid(a)],
  ReLU: [[matrix], (a) => relu(a)],
  Softplus: [[matrix], (a) => softplus(a)],
  'an upper limit': [[matrix], (a) => atMost(a, 0.3)],
  'Gemm as it is': [[{ shape: [2, 3] }, { shape: [3, 4] }], (a, b) => algebra.gemm(a, b)],
  'Gemm with A transposed': [
    [{ shape: [3, 2] }, { shape: [3, 4] }],
    (a, b) => algebra.gemm(a, b, { transA: true }),
  ],
  'Gemm with B transposed': [
    [{ shape: [2, 3] }, { shape: [4, 3] }],
    (a, b) => algebra.gemm(a, b, { transB: true }),
  ],
  'Gemm with both transposed': [
    [{ shape: [3, 2] }, { shape: [4, 3] }],
    (a, b) => algebra.gemm(a, b, { transA: true, transB: true }),
  ],
  'Gemm scaled, with both transposed, and something added': [
    [{ shape: [3, 2] }, { shape: [4, 3] }, { shape: [2, 4] }],
    (a, b, c) =>
      algebra.gemm(a, b, { transA: true, transB: true, factor: 0.25, plus: { matrix: c, factor: 0.75 } }),
  ],
  'Gemm with something added that it is made of': [
    [{ shape: [3, 3] }, { shape: [3, 3] }],
    (a, b) => algebra.gemm(a, b, { plus: { matrix: a, factor: 0.5 } }),
  ],
  'MatMul of stacks with broadcasting': [
    [{ shape: [2, 1, 2, 3] }, { shape: [3, 3, 2] }],
    (a, b) => algebra.matMul(a, b),
  ],
  'a linear layer over tokens': [
    [{ shape: [2, 2, 3] }, { shape: [3, 2] }, { shape: [2] }],
    (x, w, b) => algebra.linear(x, w, b),
  ],
  'Softmax over the last axis': [[matrix], (a) => algebra.softmax(a)],
  'Softmax over the first axis': [[matrix], (a) => algebra.softmax(a, 0)],
  LogSoftmax: [[matrix], (a) => algebra.logSoftmax(a)],
  'ReduceLogSumExp over either axis': [
    [matrix],
    (a) => add(algebra.logSumExp(a, 1), algebra.logSumExp(a, 0)),
  ],
  LayerNormalization: [
    [{ shape: [2, 5] }, { shape: [5] }, { shape: [5] }],
    (x, gain, bias) => algebra.layerNormalization(x, gain, bias),
  ],
  'L2-normalise': [[{ shape: [2, 4] }], (a) => algebra.l2Normalize(a)],
  'a weighted mean': [
    [{ shape: [4] }, { shape: [4], range: positive }],
    (a, b) => algebra.weightedMean(a, b),
  ],
  Transpose: [[{ shape: [2, 3, 2] }], (a) => shaping.transpose(a, [2, 0, 1])],
  Reshape: [[matrix], (a) => shaping.reshape(a, [3, 2])],
  Expand: [[{ shape: [2, 1] }], (a) => shaping.expand(a, [3, 2, 4])],
  Concat: [[matrix, { shape: [2, 2] }], (a, b) => shaping.concat([a, b], 1)],
  'Split, of which one part is not used': [
    [{ shape: [2, 6] }],
    (a) => {
      const [first, , last] = shaping.split(a, [1, 3, 2], 1);
      return shaping.concat([last!, first!, last!], 1);
    },
  ],
  ReduceSum: [[{ shape: [2, 3, 2] }], (a) => shaping.sum(a, [0, 2])],
  ReduceMean: [[{ shape: [2, 3, 2] }], (a) => algebra.mean(a, [1], true)],
  'a value that is used twice': [[matrix], (a) => multiply(exp(a), add(exp(a), a))],
};

for (const [name, [inputs, build]] of Object.entries(cases))
  await test(`the gradient of ${name} agrees with central differences`, () => checkGradients(inputs, build));

for (const [name, build] of Object.entries({ Erf: erf, GELU: gelu }))
  await test(`the gradient of ${name} agrees with central differences`, () =>
    checkGradients([matrix], (a) => build(a), { type: 'float32' }));

await test('the gradient of Gather adds up the uses of each row', () =>
  checkGradients([{ shape: [3, 2] }], (table) => shaping.gather(table, indices), {
    feeds: { indices: BigInt64Array.of(2n, 0n, 2n, 1n) },
  }));

await test('the gradient of dropout passes only what the mask lets through', () =>
  checkGradients([matrix], (a) => algebra.dropout(a, input('mask', [2, 3], 'float64')), {
    feeds: { mask: Float64Array.of(0, 2, 2, 0, 2, 0) },
  }));
