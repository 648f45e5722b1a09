/** Encodes an ONNX model: the few protobuf messages of onnx.proto3 (ONNX 1.17) that a graph needs, and no more. */

export type ElementType = 'float32' | 'float64' | 'int64';

/** Values of TensorProto.DataType. */
const elementTypes: Readonly<Record<ElementType, number>> = { float32: 1, int64: 7, float64: 11 };

export type Attribute = number | { readonly float: number } | { readonly text: string } | readonly number[];

export interface ModelNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface ModelValue {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

export interface ModelConstant extends ModelValue {
  readonly data: Float32Array | Float64Array | BigInt64Array;
}

export interface ModelParts {
  /** In an order in which each value is made before it is used. */
  readonly nodes: readonly ModelNode[];
  readonly constants: readonly ModelConstant[];
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
}

/** Opset 18: the first whose reductions take their axes as an input, and ScatterND may add. IR version 8 goes with it. */
const opset = 18;
const irVersion = 8;

/** @returns the bytes of a ModelProto, as onnxruntime's `InferenceSession.create` takes them. */
export function encodeModel({ nodes, constants, inputs, outputs }: ModelParts): Uint8Array {
  const graph = [
    ...nodes.flatMap((node) => message(1, encodeNode(node))),
    ...text(2, 'training'),
    ...constants.flatMap((constant) => message(5, encodeConstant(constant))),
    ...inputs.flatMap((value) => message(11, encodeValue(value))),
    ...outputs.flatMap((value) => message(12, encodeValue(value))),
  ];
  const model = [
    ...integer(1, irVersion),
    ...message(7, graph),
    ...message(8, [...text(1, ''), ...integer(2, opset)]),
  ];
  return join(model);
}

function encodeNode({ operator, inputs, outputs, attributes }: ModelNode): Uint8Array[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, operator),
    ...Object.entries(attributes).flatMap(([name, value]) => message(5, encodeAttribute(name, value))),
  ];
}

/** Field 20 is the attribute's type: 1 float, 2 int, 3 string, 7 ints. */
function encodeAttribute(name: string, value: Attribute): Uint8Array[] {
  if (typeof value === 'number') return [...text(1, name), ...integer(3, value), ...integer(20, 2)];
  if ('float' in value) return [...text(1, name), ...float(2, value.float), ...integer(20, 1)];
  if ('text' in value) return [...text(1, name), ...text(4, value.text), ...integer(20, 3)];
  return [...text(1, name), ...value.flatMap((item) => integer(8, item)), ...integer(20, 7)];
}

function encodeConstant({ name, type, shape, data }: ModelConstant): Uint8Array[] {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [
    ...shape.flatMap((size) => integer(1, size)),
    ...integer(2, elementTypes[type]),
    ...text(8, name),
    ...message(9, [raw]),
  ];
}

function encodeValue({ name, type, shape }: ModelValue): Uint8Array[] {
  const dimensions = shape.flatMap((size) => message(1, integer(1, size)));
  const tensor = [...integer(1, elementTypes[type]), ...message(2, dimensions)];
  return [...text(1, name), ...message(2, message(1, tensor))];
}

/** Protobuf's wire types. */
const wire = { varint: 0, bytes: 2, float32: 5 } as const;

function varint(value: number): number[] {
  const bytes: number[] = [];
  // Negative numbers are written as 64-bit two's complement, ten bytes long.
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 0x80);
  } while (rest !== 0n);
  return bytes;
}

function integer(field: number, value: number): Uint8Array[] {
  return [Uint8Array.from([...varint((field << 3) | wire.varint), ...varint(value)])];
}

function float(field: number, value: number): Uint8Array[] {
  const bytes = new Uint8Array(Float32Array.of(value).buffer);
  return [Uint8Array.from([...varint((field << 3) | wire.float32), ...bytes])];
}

function message(field: number, content: readonly Uint8Array[]): Uint8Array[] {
  const size = content.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  return [Uint8Array.from([...varint((field << 3) | wire.bytes), ...varint(size)]), ...content];
}

function text(field: number, value: string): Uint8Array[] {
  return message(field, [new TextEncoder().encode(value)]);
}

function join(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
