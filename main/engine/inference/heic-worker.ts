/** Thread entry: one HEIC file in, its primary picture out. */
import { parentPort, workerData } from 'node:worker_threads';
import decode from 'heic-decode';

const { bytes, maxPixels } = workerData as { bytes: Uint8Array; maxPixels: number };

try {
  const images = await decode.all({ buffer: bytes });
  const [first] = images;
  if (first === undefined) throw new Error('no picture in the file');
  if (first.width * first.height > maxPixels) throw new Error('exceeds pixel limit');
  const { width, height, data } = await first.decode();
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  parentPort?.postMessage({ width, height, data: pixels }, [pixels.buffer as ArrayBuffer]);
} catch (error) {
  parentPort?.postMessage({ error: error instanceof Error ? error.message : String(error) });
}
