/** Reverse-mode differentiation: what every value is worth to a loss, from the loss backwards. */
import { accumulate } from './arithmetic.ts';
import { zeros } from './shaping.ts';
import { constant, elementCount, sameShape, show, type Operation, type Tensor } from './tensor.ts';

/**
 * The gradient of a scalar loss with respect to each of these tensors, as further expressions of the same graph.
 * Values that the loss doesn't depend on get zeros.
 *
 * The operations are visited in reverse of an order in which each comes after those it depends on; by the time
 * one is reached, all that its outputs are worth has been added up, and its own rule says what its inputs are.
 * @param seed what the loss itself is worth: 1, or a scalar that is fed (a loss scale for half precision).
 * @throws RangeError when the loss isn't one number.
 */
export function gradients(loss: Tensor, withRespectTo: readonly Tensor[], seed?: Tensor): Tensor[] {
  if (elementCount(loss.shape) !== 1)
    throw new RangeError(`Only one number can be minimised, and the loss has shape ${show(loss.shape)}.`);
  const worth = new Map<Operation, (Tensor | undefined)[]>();
  const leaves = new Map<Tensor, Tensor>();
  const credit = (to: Tensor, amount: Tensor): void => {
    if (!sameShape(to.shape, amount.shape))
      throw new RangeError(`A gradient of shape ${show(amount.shape)} was made for ${show(to.shape)}.`);
    const { origin } = to;
    // A tensor asked for may lie inside the graph: what it is worth is noted, and goes on to what it was made of.
    const noted = leaves.get(to);
    leaves.set(to, noted === undefined ? amount : accumulate(noted, amount));
    if (origin.kind !== 'result') return;
    const outputs = worth.get(origin.operation) ?? [];
    const so = outputs[origin.place];
    outputs[origin.place] = so === undefined ? amount : accumulate(so, amount);
    worth.set(origin.operation, outputs);
  };

  credit(loss, seed ?? constant([1], loss.shape, loss.type));
  const needed = dependents(loss, new Set(withRespectTo));
  for (const operation of inOrder([loss]).reverse()) {
    const outputs = worth.get(operation);
    if (outputs === undefined || !needed.has(operation)) continue;
    const amounts = operation.backward(outputs);
    operation.inputs.forEach((to, i) => {
      const amount = amounts[i];
      if (amount !== undefined && leadsOn(to, needed, withRespectTo)) credit(to, amount);
    });
  }
  return withRespectTo.map((tensor) => leaves.get(tensor) ?? zeros(tensor.shape, tensor));
}

/** All operations that these values need, each after those whose results it takes. */
export function inOrder(values: readonly Tensor[]): Operation[] {
  const order: Operation[] = [];
  const seen = new Set<Operation>();
  // An explicit stack: a deep network must not overflow the call stack.
  const stack = values.map((value) => ({ value, left: false }));
  while (stack.length > 0) {
    const step = stack.pop();
    if (step === undefined) break;
    const { origin } = step.value;
    if (origin.kind !== 'result') continue;
    const { operation } = origin;
    if (step.left) {
      if (!seen.has(operation)) {
        seen.add(operation);
        order.push(operation);
      }
      continue;
    }
    if (seen.has(operation)) continue;
    stack.push({ value: step.value, left: true });
    for (const value of operation.inputs) stack.push({ value, left: false });
  }
  return order;
}

/** The operations on a way from one of the sources to the loss: gradients of others would be computed for nothing. */
function dependents(loss: Tensor, sources: ReadonlySet<Tensor>): ReadonlySet<Operation> {
  const found = new Set<Operation>();
  for (const operation of inOrder([loss])) {
    const depends = operation.inputs.some(
      (value) => sources.has(value) || (value.origin.kind === 'result' && found.has(value.origin.operation)),
    );
    if (depends) found.add(operation);
  }
  return found;
}

function leadsOn(to: Tensor, needed: ReadonlySet<Operation>, sources: readonly Tensor[]): boolean {
  return sources.includes(to) || (to.origin.kind === 'result' && needed.has(to.origin.operation));
}
