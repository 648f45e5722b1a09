/** One ONNX file of a language pack, opened and held to what its family says of inputs and outputs. */
import { relative, sep } from 'node:path';
import type { Tensor } from 'onnxruntime-node';
import { AppError } from '../../../errors.ts';
import type { LanguagePack } from '../../packs/types.ts';
import { openSession } from '../model-session.ts';

export type Tensors = Readonly<Record<string, Tensor>>;

export interface ModelGraph {
  /** @throws AppError pack-invalid when the model refuses the feeds */
  run(feeds: Tensors): Promise<Tensors>;
}

/**
 * @param names the inputs that it will be fed and the outputs that are wanted of it.
 * @throws AppError pack-invalid naming the file and what it lacks
 */
export async function openGraph(
  pack: Pick<LanguagePack, 'id' | 'name' | 'dir'>,
  file: string,
  threads: number,
  names: { readonly inputs: readonly string[]; readonly outputs: readonly string[] },
): Promise<ModelGraph> {
  const path = relative(pack.dir, file).split(sep).join('/');
  const misfit = (what: string, cause?: unknown): AppError =>
    new AppError(
      'pack-invalid',
      `The model file ${path} of "${pack.name}" ${what}. Install the pack again, or choose another.`,
      { cause, details: { pack: pack.id, file: path } },
    );
  const session = await openSession({ file, provider: 'cpu', threads }).catch((thrown: unknown) => {
    throw misfit('cannot be loaded', thrown);
  });
  const wanted = new Set(names.inputs);
  const inputs = new Set(session.inputs.map(({ name }) => name));
  const outputs = new Set(session.outputs);
  const noInput = names.inputs.find((name) => !inputs.has(name));
  const noOutput = names.outputs.find((name) => !outputs.has(name));
  const unknown = [...inputs].find((name) => !wanted.has(name));
  if (noInput !== undefined) throw misfit(`has no input "${noInput}"`);
  if (noOutput !== undefined) throw misfit(`has no output "${noOutput}"`);
  if (unknown !== undefined) throw misfit(`wants an input "${unknown}" that its family does not have`);
  return {
    async run(feeds) {
      try {
        return await session.runAll(feeds, names.outputs);
      } catch (thrown) {
        // Its first line names the input; the others are about the runtime's source files.
        const [reason = ''] = (thrown instanceof Error ? thrown.message : String(thrown)).split('\n');
        throw misfit(`does not take what its family is given (${reason})`, thrown);
      }
    },
  };
}
