/** Pictures dropped to search by: decoded and embedded once, kept for the session. */
import { createHash } from 'node:crypto';
import type { CallOutput, ParsedInput } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import type { Decoder, Embedder } from '../inference/types.ts';

interface Example {
  readonly name: string;
  /** The pack whose space the vector is in. */
  readonly fingerprint: string;
  /** Unit vector (dims,) float32. */
  readonly vector: Float32Array;
}

export interface Examples {
  add(
    input: ParsedInput<'search.addExample'>,
    tools: { decoder: Decoder; embedder: Embedder; signal?: AbortSignal | undefined },
  ): Promise<CallOutput<'search.addExample'>>;
  /** @throws AppError not-found when it was never added, is too long ago or belongs to another pack. */
  get(exampleId: string, fingerprint: string): Example;
}

/** Vectors are small; this many cover any session and bound a runaway client. */
const mostExamples = 256;
const mostBytes = 48 * 2 ** 20;

export function createExamples(): Examples {
  const examples = new Map<string, Example>();
  return {
    async add({ image, name }, { decoder, embedder, signal }) {
      const bytes = Buffer.from(image, 'base64');
      if (bytes.length === 0)
        throw new AppError('input-invalid', `${name} is empty. Choose another picture.`);
      if (bytes.length > mostBytes)
        throw new AppError('image-too-large', `${name} is larger than 48 MiB. Choose a smaller picture.`, {
          details: { path: name, limitMebibytes: 48 },
        });
      const photo = await decoder.decode(
        { bytes, name },
        { spec: embedder.imageSpec, thumbnail: false, signal },
      );
      const [vector] = await embedder.embedImages([
        { pixels: photo.pixels, width: photo.pixelWidth, height: photo.pixelHeight },
      ]);
      signal?.throwIfAborted();
      if (vector === undefined) throw new AppError('internal', `${name} was embedded to nothing.`);
      // The same picture gets the same id, so that dropping it twice asks the same query.
      const exampleId = createHash('sha256').update(bytes).digest('hex').slice(0, 32);
      examples.delete(exampleId);
      examples.set(exampleId, { name, fingerprint: embedder.fingerprint, vector });
      const [oldest] = examples.keys();
      if (examples.size > mostExamples && oldest !== undefined) examples.delete(oldest);
      return { exampleId, name, width: photo.metadata.width, height: photo.metadata.height };
    },
    get(exampleId, fingerprint) {
      const example = examples.get(exampleId);
      if (example === undefined || example.fingerprint !== fingerprint)
        throw new AppError('not-found', 'The picture to search by is not here any more. Drop it again.');
      return example;
    },
  };
}
