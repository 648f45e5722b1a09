/** The update of a training step, as part of the graph: clipping by global norm, then AdamW. */
import {
  add,
  atMost,
  divide,
  multiply,
  negate,
  offset,
  scale,
  sqrt,
  square,
  subtract,
} from './arithmetic.ts';
import { reshape, sum } from './shaping.ts';
import { input, scalar, type Tensor } from './tensor.ts';

export interface AdamWSettings {
  /** Decay rates of the two moments; 0.9 and 0.999 in Kingma and Ba 2015. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Share of a parameter that is taken off at each step, times the learning rate (Loshchilov and Hutter 2019). */
  readonly weightDecay: number;
  /** Longest gradient over all parameters together; null for no limit. */
  readonly clipNorm: number | null;
}

/** CLIP's own for fine-tuning, with the usual limit on the gradient. */
export const defaultAdamW: AdamWSettings = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
};

/** Names of the scalars that each run is fed: they change from step to step. */
export const stepInputs = {
  learningRate: 'learning_rate',
  /** 1 - beta1^t and 1 - beta2^t at step t from 1, which correct the moments' start at zero. */
  correction1: 'correction_1',
  correction2: 'correction_2',
} as const;

export interface Updated {
  readonly parameter: Tensor;
  readonly moment1: Tensor;
  readonly moment2: Tensor;
}

/** @returns the factor that shortens all gradients together to `limit` (Pascanu et al. 2013), and their length before. */
export function clipByGlobalNorm(
  gradients: readonly Tensor[],
  limit: number | null,
): { readonly factor: Tensor | undefined; readonly norm: Tensor } {
  const [first, ...rest] = gradients.map((gradient) =>
    reshape(
      sum(
        square(gradient),
        gradient.shape.map((_, axis) => axis),
      ),
      [],
    ),
  );
  if (first === undefined) throw new RangeError('There are no gradients to clip.');
  const norm = sqrt(rest.reduce(add, first));
  // The small number is PyTorch's; it keeps a gradient of zeros one.
  const factor = limit === null ? undefined : atMost(divide(scalar(limit, norm), offset(norm, 1e-6)), 1);
  return { factor, norm };
}

/**
 * One parameter's update; `decays` is false for what should not be pulled to zero (biases, gains, scales). Everything
 * that is one number is put together first: the matrices are passed over as seldom as can be.
 * @param clip factor of the gradient
 */
export function adamW(
  parameter: Tensor,
  gradient: Tensor,
  moments: { readonly moment1: Tensor; readonly moment2: Tensor },
  { settings, decays, clip }: { settings: AdamWSettings; decays: boolean; clip: Tensor | undefined },
): Updated {
  const { beta1, beta2, epsilon, weightDecay } = settings;
  const rate = input(stepInputs.learningRate, [], parameter.type);
  const correction1 = input(stepInputs.correction1, [], parameter.type);
  const correction2 = input(stepInputs.correction2, [], parameter.type);
  const shortened = clip ?? scalar(1, parameter);
  const moment1 = add(scale(moments.moment1, beta1), multiply(gradient, scale(shortened, 1 - beta1)));
  const moment2 = add(
    scale(moments.moment2, beta2),
    multiply(square(gradient), scale(square(shortened), 1 - beta2)),
  );
  // rate (m1/c1) / (√(m2/c2) + ε), with √c2 taken out of both sides of the fraction.
  const root = sqrt(correction2);
  const step = divide(
    multiply(moment1, divide(multiply(rate, root), correction1)),
    add(sqrt(moment2), scale(root, epsilon)),
  );
  const kept =
    decays && weightDecay > 0 ? multiply(parameter, offset(negate(scale(rate, weightDecay)), 1)) : parameter;
  return { parameter: subtract(kept, step), moment1, moment2 };
}
