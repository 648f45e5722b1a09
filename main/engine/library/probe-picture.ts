/** A picture known to be good: if the decoder dies over it as well, the photo before it is not to blame. */
import type { DecodedPhoto, Decoder, ImageSpec } from '../inference/types.ts';

/** A grey PNG of 2 x 2 pixels. */
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADklEQVQImWNoAAMGCAUAKg4GAeLeQoEAAAAASUVORK5CYII=';

/** @throws AppError whatever the decoder throws */
export function decodeProbe(decoder: Decoder, spec: ImageSpec, signal: AbortSignal): Promise<DecodedPhoto> {
  const bytes = new Uint8Array(Buffer.from(png, 'base64'));
  return decoder.decode({ bytes, name: 'probe.png' }, { spec, thumbnail: false, signal });
}
