/** A whole training step as one graph: forward, loss, gradients, clipping, AdamW. */
import type { AdamWSettings } from './adamw.ts';
import { add, divide, multiply } from './arithmetic.ts';
import { gradients } from './gradients.ts';
import { openGraph, type Feeds, type GraphSession, type GraphSessionOptions } from './graph-session.ts';
import {
  createOptimizerState,
  type OptimizerState,
  type Parameters,
  type TrainingState,
} from './optimizer-state.ts';
import { reshape } from './shaping.ts';
import { input, type Tensor } from './tensor.ts';

export interface TrainingOptions extends GraphSessionOptions {
  readonly parameters: Parameters;
  /** Builds the loss, one number, out of the parameters and of inputs of its own. */
  readonly loss: (parameters: Readonly<Record<string, Tensor>>) => Tensor;
  readonly optimizer?: Partial<AdamWSettings>;
  /**
   * Updates after this many runs, with the mean of their gradients: the same update as one large batch where the
   * loss is a mean over examples. Losses with in-batch negatives need `openContrastStep` for that.
   */
  readonly accumulate?: number;
}

export interface TrainingStep {
  /** @returns a NaN or infinite loss as it is, for the caller to judge; no norm when nothing was updated. */
  run(feeds: Feeds, learningRate: number): Promise<{ loss: number; gradientNorm: number | null }>;
  /** A copy. */
  state(): TrainingState;
  /** @throws AppError internal when a parameter is missing or has another size. */
  restore(state: TrainingState): void;
  close(): Promise<void>;
}

/** @throws AppError internal when onnxruntime refuses the graph; RangeError for shapes that don't fit. */
export async function openTrainingStep(options: TrainingOptions): Promise<TrainingStep> {
  const { accumulate = 1, half = false } = options;
  const optimizer = createOptimizerState(options.parameters, options.optimizer);
  const loss = reshape(options.loss(optimizer.tensors), []);
  if (half) return openHalfStep(optimizer, loss, options);
  const derived = gradients(loss, optimizer.inputs);
  const state = (): TrainingState => optimizer.state();
  const restore = (saved: TrainingState): void => {
    optimizer.restore(saved);
  };
  if (accumulate > 1) {
    const sums = await openGradientSums(optimizer, loss, derived, options);
    let runs = 0;
    return {
      async run(feeds, learningRate) {
        const now = await sums.add(feeds);
        runs = (runs + 1) % accumulate;
        return {
          loss: now,
          gradientNorm: runs > 0 ? null : await sums.update(learningRate, 1 / accumulate),
        };
      },
      state,
      restore,
      close: () => sums.close(),
    };
  }
  const whole = await openGraph({ loss, ...optimizer.updates(derived) }, options);
  return {
    async run(feeds, learningRate) {
      const found: Record<string, unknown> = await whole.run(
        { ...feeds, ...optimizer.feeds(learningRate) },
        optimizer.targets(),
      );
      optimizer.keep(found);
      return { loss: firstNumber(found['loss']), gradientNorm: firstNumber(found['norm']) };
    },
    state,
    restore,
    close: () => whole.release(),
  };
}

/** Factors of the loss: so large that gradients of single pairs are no zeros in float16, and what they may come down to. */
const lossScales = { start: 2 ** 14, most: 2 ** 16, least: 1 };
/** Updates without an overflow after which a larger factor is tried. */
const calmUpdates = 500;

/**
 * With float16 products, what a loss is worth is multiplied by a factor before it flows back and divided out of the
 * gradients, so that small ones survive; an update whose gradients overflow is left out, and the factor halved (dynamic
 * loss scaling, Micikevicius et al. 2018). State, sums and the update itself are float32.
 */
async function openHalfStep(
  optimizer: OptimizerState,
  loss: Tensor,
  options: TrainingOptions,
): Promise<TrainingStep> {
  if ((options.accumulate ?? 1) > 1)
    throw new RangeError('Gradients are added up in float32 only: leave out either half or accumulate.');
  const factor = input('loss scale', []);
  const derived = gradients(loss, optimizer.inputs, factor).map((gradient) => divide(gradient, factor));
  const whole = await openGraph({ loss, ...optimizer.updates(derived) }, options);
  let scale = lossScales.start;
  let calm = 0;
  return {
    async run(feeds, learningRate) {
      const found: Record<string, unknown> = await whole.run(
        { ...feeds, ...optimizer.feeds(learningRate), 'loss scale': Float32Array.of(scale) },
        optimizer.targets(),
      );
      const norm = firstNumber(found['norm']);
      if (Number.isFinite(norm)) {
        optimizer.keep(found);
        calm += 1;
        if (calm % calmUpdates === 0) scale = Math.min(lossScales.most, 2 * scale);
        return { loss: firstNumber(found['loss']), gradientNorm: norm };
      }
      calm = 0;
      // At the least, it is not the factor that overflows.
      if (scale === lossScales.least) optimizer.keep(found);
      scale = Math.max(lossScales.least, scale / 2);
      return { loss: firstNumber(found['loss']), gradientNorm: null };
    },
    state: () => optimizer.state(),
    restore: (saved) => {
      optimizer.restore(saved);
    },
    close: () => whole.release(),
  };
}

/** Gradients added up over several runs, then used in one update. */
export interface GradientSums {
  /** Adds the gradients of one run. @returns its loss. */
  add(feeds: Feeds): Promise<number>;
  /** Updates with the sum times `factor` and starts again from zero. @returns the gradient's norm before clipping. */
  update(learningRate: number, factor: number): Promise<number>;
  close(): Promise<void>;
}

/** @param derived the loss's gradients, in the order of `optimizer.inputs`. */
export async function openGradientSums(
  optimizer: OptimizerState,
  loss: Tensor,
  derived: readonly Tensor[],
  options: GraphSessionOptions,
): Promise<GradientSums> {
  const names = Object.keys(optimizer.tensors).map((name) => `${name}/sum`);
  const sums = derived.map(({ shape }, i) => input(names[i] ?? '', shape));
  const factorInput = input('factor', []);
  const sessions: GraphSession<string>[] = [];
  const open = async (outputs: Record<string, Tensor>): Promise<GraphSession<string>> => {
    const session = await openGraph(outputs, options);
    sessions.push(session);
    return session;
  };
  const adding = await open({
    loss,
    ...Object.fromEntries(sums.map((sum, i) => [names[i] ?? '', add(sum, derived[i] ?? sum)])),
  });
  const updating = await open(optimizer.updates(sums.map((sum) => multiply(sum, factorInput))));
  const zeros = (): Record<string, Float32Array> =>
    Object.fromEntries(
      Object.values(optimizer.parameters()).map(({ length }, i) => [
        names[i] ?? '',
        new Float32Array(length),
      ]),
    );
  let waiting = zeros();
  return {
    async add(feeds) {
      const { loss: now, ...totals } = await adding.run({ ...feeds, ...optimizer.parameters(), ...waiting });
      waiting = totals as Record<string, Float32Array>;
      return firstNumber(now);
    },
    async update(learningRate, factor) {
      const found = await updating.run({
        ...waiting,
        ...optimizer.feeds(learningRate),
        factor: Float32Array.of(factor),
      });
      optimizer.keep(found);
      waiting = zeros();
      return firstNumber(found['norm']);
    },
    async close() {
      await Promise.all(sessions.map((session) => session.release()));
    },
  };
}

export function firstNumber(values: unknown): number {
  return (values as Float32Array | undefined)?.[0] ?? Number.NaN;
}
