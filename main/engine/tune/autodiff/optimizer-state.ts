/** Parameters and their moments between runs of a graph: fed with each, and replaced by what it gives back. */
import { AppError } from '../../../errors.ts';
import { adamW, clipByGlobalNorm, defaultAdamW, stepInputs, type AdamWSettings } from './adamw.ts';
import { input, type Shape, type Tensor } from './tensor.ts';

/** A parameter's start, and how it is treated. */
export interface ParameterSpec {
  readonly shape: Shape;
  /** Row-major. */
  readonly start: Float32Array;
  /** Default true; false for what weight decay should leave alone. */
  readonly decays?: boolean;
}

export type Parameters = Readonly<Record<string, ParameterSpec>>;

/** All that a run needs to go on from here: bit for bit on the CPU. */
export interface TrainingState {
  /** Updates made. */
  readonly steps: number;
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly moments: Readonly<Record<string, { readonly first: Float32Array; readonly second: Float32Array }>>;
}

export interface OptimizerState {
  /** The parameters as inputs of a graph, by name and in order. */
  readonly tensors: Readonly<Record<string, Tensor>>;
  readonly inputs: readonly Tensor[];
  /** Expressions of the update that these gradients (in the order of `inputs`) lead to, and their norm. */
  updates(gradients: readonly Tensor[]): Record<string, Tensor>;
  /** The parameters alone. */
  parameters(): Readonly<Record<string, Float32Array>>;
  /** All that a graph with `updates` in it must be fed. */
  feeds(learningRate: number): Record<string, Float32Array>;
  /** Where a graph with `updates` in it may write: not in use until `keep` is told of the run. */
  targets(): Record<string, Float32Array>;
  /** Takes over what a run of such a graph gave. */
  keep(found: Readonly<Record<string, unknown>>): void;
  state(): TrainingState;
  /** @throws AppError internal when a parameter is missing or has another size. */
  restore(saved: TrainingState): void;
}

export function createOptimizerState(
  parameters: Parameters,
  optimizer: Partial<AdamWSettings> = {},
): OptimizerState {
  const settings = { ...defaultAdamW, ...optimizer };
  const slots = Object.entries(parameters).map(([name, spec]) => ({
    name,
    ...spec,
    tensor: input(name, spec.shape),
    first: `${name}/moment_1`,
    second: `${name}/moment_2`,
    now: startOf(spec),
    spare: startOf(spec),
  }));
  let steps = 0;
  return {
    tensors: Object.fromEntries(slots.map(({ name, tensor }) => [name, tensor])),
    inputs: slots.map(({ tensor }) => tensor),
    updates(gradients) {
      const { factor: clip, norm } = clipByGlobalNorm(gradients, settings.clipNorm);
      const outputs: Record<string, Tensor> = { norm };
      slots.forEach(({ name, tensor, shape, first, second, decays = true }, i) => {
        const gradient = gradients[i];
        if (gradient === undefined) throw new RangeError(`The parameter "${name}" has no gradient.`);
        const moments = { moment1: input(first, shape), moment2: input(second, shape) };
        const after = adamW(tensor, gradient, moments, { settings, decays, clip });
        outputs[`new ${name}`] = after.parameter;
        outputs[`new ${first}`] = after.moment1;
        outputs[`new ${second}`] = after.moment2;
      });
      return outputs;
    },
    parameters: () => Object.fromEntries(slots.map(({ name, now }) => [name, now.parameter])),
    feeds: (learningRate) => ({
      ...Object.fromEntries(
        slots.flatMap(({ name, first, second, now }) => [
          [name, now.parameter],
          [first, now.first],
          [second, now.second],
        ]),
      ),
      [stepInputs.learningRate]: Float32Array.of(learningRate),
      [stepInputs.correction1]: Float32Array.of(1 - settings.beta1 ** (steps + 1)),
      [stepInputs.correction2]: Float32Array.of(1 - settings.beta2 ** (steps + 1)),
    }),
    targets: () =>
      Object.fromEntries(
        slots.flatMap(({ name, first, second, spare }) => [
          [`new ${name}`, spare.parameter],
          [`new ${first}`, spare.first],
          [`new ${second}`, spare.second],
        ]),
      ),
    keep(found) {
      for (const { name, first, second, now, spare } of slots) {
        Object.assign(spare, now);
        now.parameter = found[`new ${name}`] as Float32Array;
        now.first = found[`new ${first}`] as Float32Array;
        now.second = found[`new ${second}`] as Float32Array;
      }
      steps++;
    },
    state: () =>
      structuredClone({
        steps,
        parameters: Object.fromEntries(slots.map(({ name, now }) => [name, now.parameter])),
        moments: Object.fromEntries(
          slots.map(({ name, now }) => [name, { first: now.first, second: now.second }]),
        ),
      }),
    restore(saved) {
      for (const { name, start } of slots) {
        const sizes = [saved.parameters[name], saved.moments[name]?.first, saved.moments[name]?.second];
        if (sizes.some((numbers) => numbers?.length !== start.length))
          throw new AppError('internal', `The saved run has no parameter "${name}" of this size.`);
      }
      const { parameters: values, moments } = structuredClone(saved);
      for (const { name, now } of slots) {
        now.parameter = values[name] ?? now.parameter;
        now.first = moments[name]?.first ?? now.first;
        now.second = moments[name]?.second ?? now.second;
      }
      steps = saved.steps;
    },
  };
}

interface SlotValues {
  parameter: Float32Array;
  first: Float32Array;
  second: Float32Array;
}

function startOf({ start }: ParameterSpec): SlotValues {
  return {
    parameter: start.slice(),
    first: new Float32Array(start.length),
    second: new Float32Array(start.length),
  };
}
