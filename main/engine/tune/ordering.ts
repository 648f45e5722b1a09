/** Trained heads that order what was found, in plain TypeScript: what search asks them for each photo. */
import type { HeadName } from '../../contract.ts';
import { AppError } from '../../errors.ts';
import { wordKinds, worthFrom } from './fusion-head.ts';
import { createJointHead } from './joint-head.ts';
import { fittingValues } from './projection.ts';
import type { HeadParameters, Ordering } from './types.ts';

/** @throws AppError internal when the parameters don't fit, or the head moves vectors */
export function createOrdering(head: HeadName, dims: number, parameters: HeadParameters): Ordering {
  if (head === 'fusion') {
    const { worth } = fittingValues({ worth: { shape: [wordKinds.length] } }, { head, dims, parameters });
    return { worth: worthFrom(Array.from(worth ?? [], (value) => Math.max(0, value))) };
  }
  if (head !== 'joint')
    throw new AppError('internal', `A head of the kind "${head}" moves vectors; it orders nothing.`);
  const { parameters: wanted } = createJointHead({ dims, normal: () => 0 });
  return { extraScore: jointScore(dims, fittingValues(wanted, { head, dims, parameters })) };
}

/**
 * As `JointHead.ofPairs`, with all that only the query decides computed once: each hidden unit is then one product of
 * the photo with a vector of its own.
 */
function jointScore(
  dims: number,
  values: Readonly<Record<string, Float32Array>>,
): NonNullable<Ordering['extraScore']> {
  const of = (name: string): Float32Array => values[name] ?? new Float32Array(0);
  const [image, text, product, bias, out] = [of('image'), of('text'), of('product'), of('bias'), of('out')];
  const hidden = bias.length;
  const productScale = Math.sqrt(dims);
  return (query) => {
    const ofQuery = new Float32Array(hidden * dims);
    const offsets = Float32Array.from(bias);
    for (let d = 0; d < dims; d++) {
      const value = query[d] ?? 0;
      for (let unit = 0; unit < hidden; unit++) {
        const at = d * hidden + unit;
        ofQuery[unit * dims + d] = (image[at] ?? 0) + productScale * value * (product[at] ?? 0);
        offsets[unit] = (offsets[unit] ?? 0) + value * (text[at] ?? 0);
      }
    }
    return (photo) => {
      let score = 0;
      for (let unit = 0; unit < hidden; unit++) {
        let sum = offsets[unit] ?? 0;
        const from = unit * dims;
        for (let d = 0; d < dims; d++) sum += (ofQuery[from + d] ?? 0) * (photo[d] ?? 0);
        if (sum > 0) score += sum * (out[unit] ?? 0);
      }
      return score;
    };
  };
}
