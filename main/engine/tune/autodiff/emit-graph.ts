/** Writes expressions down as one ONNX model: each operation once, whatever uses it. */
import { inOrder } from './gradients.ts';
import { encodeModel, type ModelConstant, type ModelNode, type ModelValue } from './onnx-model.ts';
import { show, type Operation, type Tensor } from './tensor.ts';

export interface EmittedGraph {
  /** An ONNX ModelProto. */
  readonly model: Uint8Array;
  /** What must be fed, by name. */
  readonly inputs: ReadonlyMap<string, ModelValue>;
}

/** TensorProto.DataType, as Cast takes it. */
const elementCodes = { float32: 1, float16: 10 } as const;
const products: ReadonlySet<string> = new Set(['Gemm', 'MatMul']);

/**
 * @param outputs by the name that each will have; one of an operation's results, an input or a constant.
 * @param half multiplies matrices of float32 in float16; everything else, sums and states above all, stays float32
 *   (mixed precision, Micikevicius et al. 2018).
 * @throws RangeError when two inputs of one name differ in shape or type.
 */
export function emitGraph(outputs: Readonly<Record<string, Tensor>>, { half = false } = {}): EmittedGraph {
  const names = new Map<Operation, string>();
  const constants = new Map<Tensor, ModelConstant>();
  const inputs = new Map<string, ModelValue>();
  const nodes: ModelNode[] = [];
  /** Results that are made under the name of an output: the first to be asked for; what is asked twice is copied. */
  const direct = new Map<Operation, Map<number, string>>();
  for (const [name, { origin }] of Object.entries(outputs)) {
    if (origin.kind !== 'result') continue;
    const places = direct.get(origin.operation) ?? new Map<number, string>();
    if (!places.has(origin.place)) places.set(origin.place, name);
    direct.set(origin.operation, places);
  }

  const resultName = (operation: Operation, place: number): string =>
    direct.get(operation)?.get(place) ?? `${names.get(operation) ?? ''}.${String(place)}`;
  const nameOf = (tensor: Tensor): string => {
    const { origin, shape, type } = tensor;
    if (origin.kind === 'result') return resultName(origin.operation, origin.place);
    if (origin.kind === 'constant') {
      const known = constants.get(tensor);
      if (known !== undefined) return known.name;
      const name = `c${String(constants.size)}`;
      constants.set(tensor, { name, type, shape, data: origin.data });
      return name;
    }
    const known = inputs.get(origin.name);
    if (known === undefined) inputs.set(origin.name, { name: origin.name, type, shape });
    else if (known.type !== type || show(known.shape) !== show(shape))
      throw new RangeError(
        `The input "${origin.name}" is used as ${show(known.shape)} and as ${show(shape)}.`,
      );
    return origin.name;
  };

  const cast = (from: string, to: string, type: keyof typeof elementCodes): string => {
    nodes.push({ operator: 'Cast', inputs: [from], outputs: [to], attributes: { to: elementCodes[type] } });
    return to;
  };
  const halves = new Map<string, string>();
  const halfOf = (name: string): string => {
    const known = halves.get(name) ?? cast(name, `${name}/half`, 'float16');
    halves.set(name, known);
    return known;
  };

  for (const operation of inOrder(Object.values(outputs))) {
    const name = `v${String(names.size)}`;
    names.set(operation, name);
    const { operator, attributes } = operation;
    const inputNames = operation.inputs.map(nameOf);
    if (half && products.has(operator) && operation.inputs[0]?.type === 'float32') {
      const product = `${name}.0/half`;
      nodes.push({ operator, inputs: inputNames.map(halfOf), outputs: [product], attributes });
      cast(product, resultName(operation, 0), 'float32');
      continue;
    }
    nodes.push({
      operator,
      inputs: inputNames,
      outputs: Array.from({ length: outputCount(operation) }, (_, place) => resultName(operation, place)),
      attributes,
    });
  }
  const results: ModelValue[] = [];
  for (const [name, tensor] of Object.entries(outputs)) {
    // A name of its own for each output, even where two are the same value or one is an input.
    const from = nameOf(tensor);
    if (from !== name) nodes.push({ operator: 'Identity', inputs: [from], outputs: [name], attributes: {} });
    results.push({ name, type: tensor.type, shape: tensor.shape });
  }
  const model = encodeModel({
    nodes,
    constants: [...constants.values()],
    inputs: [...inputs.values()],
    outputs: results,
  });
  return { model, inputs };
}

/** Split is the only operation here with more than one result: as many as it was given sizes. */
function outputCount({ operator, inputs }: Operation): number {
  return operator === 'Split' ? (inputs[1]?.shape[0] ?? 1) : 1;
}
