/** Lists what is inside an app.asar: its header is JSON behind four 32-bit sizes (Chromium's pickle). */
import { closeSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';

export interface PackedFile {
  /** Of the app's root, with '/' between parts. */
  readonly path: string;
  readonly bytes: number;
  /** Lies beside the archive, in app.asar.unpacked. */
  readonly unpacked: boolean;
}

interface Node {
  files?: Record<string, Node> | undefined;
  size?: number | undefined;
  unpacked?: boolean | undefined;
}
const node: z.ZodType<Node> = z.lazy(() =>
  z.object({
    files: z.record(z.string(), node).optional(),
    size: z.number().optional(),
    unpacked: z.boolean().optional(),
  }),
);

export function listAsar(file: string): PackedFile[] {
  const descriptor = openSync(file, 'r');
  try {
    const sizes = Buffer.alloc(16);
    readSync(descriptor, sizes, 0, 16, 0);
    const header = Buffer.alloc(sizes.readUInt32LE(12));
    readSync(descriptor, header, 0, header.length, 16);
    return [...walk(node.parse(JSON.parse(header.toString('utf8'))), '')];
  } finally {
    closeSync(descriptor);
  }
}

function* walk(at: Node, path: string): Generator<PackedFile> {
  if (at.files === undefined) {
    yield { path, bytes: at.size ?? 0, unpacked: at.unpacked === true };
    return;
  }
  for (const [name, child] of Object.entries(at.files))
    yield* walk(child, path === '' ? name : `${path}/${name}`);
}
