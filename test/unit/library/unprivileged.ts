/** Lets a test be refused by the file system even where it runs as root, who never is. */
import { chmodSync } from 'node:fs';

/** @param folders temp folders that others must be able to enter meanwhile. */
export async function unprivileged<T>(
  folders: string | readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  for (const folder of [folders].flat()) chmodSync(folder, 0o755);
  process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}
