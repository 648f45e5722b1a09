/**
 * A training step for losses in which every example of a batch meets every other, with memory for only a part of
 * the batch at a time: the gradient cache (Gao et al. 2021). The embeddings of all parts are computed and kept;
 * the loss of the whole batch says what each embedding is worth; then each part is run again and its parameters
 * are credited with that. The update is that of the large batch.
 */
import type { AdamWSettings } from './adamw.ts';
import { add, multiply } from './arithmetic.ts';
import { gradients } from './gradients.ts';
import { openGraph, type Feeds, type GraphSession, type GraphSessionOptions } from './graph-session.ts';
import { createOptimizerState, type Parameters } from './optimizer-state.ts';
import { reshape, sum } from './shaping.ts';
import { axisSize, input, type Tensor } from './tensor.ts';
import { firstNumber, openGradientSums, type TrainingStep } from './training-step.ts';

type Values = Readonly<Record<string, Tensor>>;

export interface ContrastOptions extends GraphSessionOptions {
  readonly parameters: Parameters;
  /** Builds the embeddings (part, d) of a part of the batch, out of the parameters and of inputs of its own. */
  readonly embed: (parameters: Values) => { readonly images: Tensor; readonly texts: Tensor };
  /** Builds the loss of all embeddings (part x parts, d), out of the parameters and of inputs of its own. */
  readonly loss: (
    embeddings: { readonly images: Tensor; readonly texts: Tensor },
    parameters: Values,
  ) => Tensor;
  readonly parts: number;
  readonly optimizer?: Partial<AdamWSettings>;
}

export interface ContrastStep extends Omit<TrainingStep, 'run'> {
  /**
   * @param parts what `embed` is fed, once for each part; dropout masks included, which must be the same in both runs.
   * @param whole what `loss` is fed.
   */
  run(
    parts: readonly Feeds[],
    whole: Feeds,
    learningRate: number,
  ): Promise<{ loss: number; gradientNorm: number }>;
}

/** @throws AppError internal when onnxruntime refuses a graph; RangeError for shapes that don't fit. */
export async function openContrastStep(options: ContrastOptions): Promise<ContrastStep> {
  const { parts } = options;
  const optimizer = createOptimizerState(options.parameters, options.optimizer);
  const names = Object.keys(optimizer.tensors);
  const embedded = options.embed(optimizer.tensors);
  const [size, dims] = [axisSize(embedded.images.shape, 0), axisSize(embedded.images.shape, 1)];

  const all = {
    images: input('all images', [size * parts, dims]),
    texts: input('all texts', [size * parts, dims]),
  };
  const loss = reshape(options.loss(all, optimizer.tensors), []);
  // The loss may use parameters of its own, such as the logit scale: what they are worth is known at once.
  const [toImages, toTexts, ...direct] = gradients(loss, [all.images, all.texts, ...optimizer.inputs]);
  if (toImages === undefined || toTexts === undefined) throw new RangeError('The loss has no gradient.');

  // Σ embedding x its worth, with the worth held fixed, has the gradient that the chain rule wants.
  const worth = { images: input('image worth', [size, dims]), texts: input('text worth', [size, dims]) };
  const credit = add(
    sum(multiply(embedded.images, worth.images), [0, 1]),
    sum(multiply(embedded.texts, worth.texts), [0, 1]),
  );
  const own = optimizer.inputs.map(({ shape }, i) => input(`${names[i] ?? ''}/direct`, shape));
  const through = gradients(credit, optimizer.inputs).map((gradient, i) => add(gradient, own[i] ?? gradient));

  const embedding: GraphSession<'images' | 'texts'> = await openGraph(embedded, options);
  const judging: GraphSession<string> = await openGraph(
    {
      loss,
      images: toImages,
      texts: toTexts,
      ...Object.fromEntries(direct.map((gradient, i) => [`${names[i] ?? ''}/direct`, gradient])),
    },
    options,
  );
  const sums = await openGradientSums(optimizer, credit, through, options);
  return {
    async run(partFeeds, whole, learningRate) {
      const images = new Float32Array(size * parts * dims);
      const texts = new Float32Array(size * parts * dims);
      const parameters = optimizer.parameters();
      for (const [i, feeds] of partFeeds.entries()) {
        const found = await embedding.run({ ...feeds, ...parameters });
        images.set(found.images as Float32Array, i * size * dims);
        texts.set(found.texts as Float32Array, i * size * dims);
      }
      const judged = await judging.run({ ...whole, ...parameters, 'all images': images, 'all texts': texts });
      const nothing = Object.fromEntries(
        names.map((name) => [`${name}/direct`, new Float32Array(parameters[name]?.length ?? 0)]),
      );
      const part = (values: unknown, i: number): Float32Array =>
        (values as Float32Array).slice(i * size * dims, (i + 1) * size * dims);
      for (const [i, feeds] of partFeeds.entries())
        await sums.add({
          ...feeds,
          'image worth': part(judged['images'], i),
          'text worth': part(judged['texts'], i),
          // Credited once, with the first part.
          ...(i === 0
            ? Object.fromEntries(Object.keys(nothing).map((name) => [name, judged[name] as Float32Array]))
            : nothing),
        });
      return { loss: firstNumber(judged['loss']), gradientNorm: await sums.update(learningRate, 1) };
    },
    state: () => optimizer.state(),
    restore: (saved) => {
      optimizer.restore(saved);
    },
    async close() {
      await Promise.all([embedding.release(), judging.release(), sums.close()]);
    },
  };
}
