/**
 * A whole training step as one graph: forward, loss, gradients, clipping, AdamW. What changes from step to step
 * (parameters and their moments) lives here between runs and is fed again with the next.
 */
import { AppError } from '../../../errors.ts';
import { adamW, clipByGlobalNorm, defaultAdamW, stepInputs, type AdamWSettings } from './adamw.ts';
import { add, scale } from './arithmetic.ts';
import { gradients } from './gradients.ts';
import { openGraph, type Feeds, type GraphSession, type GraphSessionOptions } from './graph-session.ts';
import { reshape } from './shaping.ts';
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

export interface TrainingOptions extends GraphSessionOptions {
  readonly parameters: Parameters;
  /** Builds the loss, one number, out of the parameters and of inputs of its own. */
  readonly loss: (parameters: Readonly<Record<string, Tensor>>) => Tensor;
  readonly optimizer?: Partial<AdamWSettings>;
  /**
   * Updates after this many runs, with the mean of their gradients: the same update as one large batch where the
   * loss is a mean over examples (for losses with in-batch negatives see accumulated-contrast.ts).
   */
  readonly accumulate?: number;
}

/** All that a run needs to go on from here: bit for bit on the CPU. */
export interface TrainingState {
  /** Updates made. */
  readonly steps: number;
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly moments: Readonly<Record<string, { readonly first: Float32Array; readonly second: Float32Array }>>;
}

export interface TrainingStep {
  /** @param learningRate of this update; a NaN or infinite loss is returned as it is, for the caller to judge. */
  run(feeds: Feeds, learningRate: number): Promise<{ loss: number; gradientNorm: number | null }>;
  state(): TrainingState;
  /** @throws AppError internal when a parameter is missing or has another size. */
  restore(state: TrainingState): void;
  close(): Promise<void>;
}

const momentNames = (name: string): { first: string; second: string } => ({
  first: `${name}/moment_1`,
  second: `${name}/moment_2`,
});
const sumName = (name: string): string => `${name}/sum`;

/** @throws AppError internal when onnxruntime refuses the graph; RangeError for shapes that don't fit. */
export async function openTrainingStep(options: TrainingOptions): Promise<TrainingStep> {
  const { parameters, accumulate = 1 } = options;
  const names = Object.keys(parameters);
  const settings = { ...defaultAdamW, ...options.optimizer };
  const tensors = Object.fromEntries(names.map((name) => [name, input(name, shapeOf(parameters, name))]));
  const inputs = names.map((name) => tensors[name] as Tensor);
  const loss = reshape(options.loss(tensors), []);
  const derived = gradients(loss, inputs);

  const state = startingState(parameters);
  const feedsOf = (): Record<string, Float32Array> =>
    Object.fromEntries(
      names.flatMap((name) => {
        const moment = momentNames(name);
        return [
          [name, state.parameters[name]],
          [moment.first, state.moments[name]?.first],
          [moment.second, state.moments[name]?.second],
        ];
      }),
    ) as Record<string, Float32Array>;

  const updates = (byName: readonly Tensor[]): Record<string, Tensor> => {
    const { clipped, norm } = clipByGlobalNorm(byName, settings.clipNorm);
    const outputs: Record<string, Tensor> = { norm };
    names.forEach((name, i) => {
      const moment = momentNames(name);
      const shape = shapeOf(parameters, name);
      const after = adamW(
        inputs[i] as Tensor,
        clipped[i] as Tensor,
        { moment1: input(moment.first, shape), moment2: input(moment.second, shape) },
        settings,
        parameters[name]?.decays ?? true,
      );
      outputs[`new ${name}`] = after.parameter;
      outputs[`new ${moment.first}`] = after.moment1;
      outputs[`new ${moment.second}`] = after.moment2;
    });
    return outputs;
  };
  const keep = (found: Record<string, unknown>): void => {
    for (const name of names) {
      const moment = momentNames(name);
      state.parameters[name] = found[`new ${name}`] as Float32Array;
      state.moments[name] = {
        first: found[`new ${moment.first}`] as Float32Array,
        second: found[`new ${moment.second}`] as Float32Array,
      };
    }
    state.steps++;
  };
  const scalars = (learningRate: number): Record<string, Float32Array> => ({
    [stepInputs.learningRate]: Float32Array.of(learningRate),
    [stepInputs.correction1]: Float32Array.of(1 - settings.beta1 ** (state.steps + 1)),
    [stepInputs.correction2]: Float32Array.of(1 - settings.beta2 ** (state.steps + 1)),
  });

  const sessions: GraphSession<string>[] = [];
  const open = async (outputs: Record<string, Tensor>): Promise<GraphSession<string>> => {
    const session = await openGraph(outputs, options);
    sessions.push(session);
    return session;
  };
  let run: TrainingStep['run'];
  if (accumulate === 1) {
    const whole = await open({ loss, ...updates(derived) });
    run = async (feeds, learningRate) => {
      const found = await whole.run({ ...feeds, ...feedsOf(), ...scalars(learningRate) });
      keep(found);
      return { loss: numberOf(found['loss']), gradientNorm: numberOf(found['norm']) };
    };
  } else {
    const sums = names.map((name) => input(sumName(name), shapeOf(parameters, name)));
    const adding = await open({
      loss,
      ...Object.fromEntries(
        names.map((name, i) => [sumName(name), add(sums[i] as Tensor, derived[i] as Tensor)]),
      ),
    });
    const updating = await open(updates(sums.map((total) => scale(total, 1 / accumulate))));
    let waiting: Record<string, Float32Array> = {};
    let runs = 0;
    run = async (feeds, learningRate) => {
      if (runs === 0)
        waiting = Object.fromEntries(
          names.map((name) => [sumName(name), new Float32Array(state.parameters[name]?.length ?? 0)]),
        );
      const { loss: now, ...totals } = await adding.run({ ...feeds, ...state.parameters, ...waiting });
      waiting = totals as Record<string, Float32Array>;
      runs = (runs + 1) % accumulate;
      if (runs > 0) return { loss: numberOf(now), gradientNorm: null };
      const found = await updating.run({ ...waiting, ...feedsOf(), ...scalars(learningRate) });
      keep(found);
      return { loss: numberOf(now), gradientNorm: numberOf(found['norm']) };
    };
  }
  return {
    run,
    state: () => structuredClone(state),
    restore(saved) {
      for (const name of names) {
        const size = parameters[name]?.start.length;
        const numbers = saved.parameters[name];
        const moments = saved.moments[name];
        if (numbers?.length !== size || moments?.first.length !== size || moments?.second.length !== size)
          throw new AppError('internal', `The saved run has no parameter "${name}" of this size.`);
      }
      Object.assign(state, structuredClone(saved));
    },
    async close() {
      await Promise.all(sessions.map((session) => session.release()));
    },
  };
}

interface MutableState {
  steps: number;
  parameters: Record<string, Float32Array>;
  moments: Record<string, { first: Float32Array; second: Float32Array }>;
}

function startingState(parameters: Parameters): MutableState {
  const entries = Object.entries(parameters);
  return {
    steps: 0,
    parameters: Object.fromEntries(entries.map(([name, { start }]) => [name, start.slice()])),
    moments: Object.fromEntries(
      entries.map(([name, { start }]) => [
        name,
        { first: new Float32Array(start.length), second: new Float32Array(start.length) },
      ]),
    ),
  };
}

function shapeOf(parameters: Parameters, name: string): Shape {
  return parameters[name]?.shape ?? [];
}

function numberOf(values: unknown): number {
  return Number((values as Float32Array | undefined)?.[0] ?? Number.NaN);
}
