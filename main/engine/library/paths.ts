/** Paths of photos: relative ones as the store keeps them, absolute ones as the disk wants them. */
import { isAbsolute, join, relative, sep } from 'node:path';

/** @param relPath '/' between parts, '' for the root itself. */
export function absolutePath(rootPath: string, relPath: string): string {
  // Not path.join alone: elsewhere than on Windows a backslash is an ordinary character of a name.
  return relPath === '' ? rootPath : join(rootPath, sep === '/' ? relPath : relPath.replaceAll('/', sep));
}

/** @returns the path below the folder with '/' between parts, '' for the folder itself, undefined outside it. */
export function relativeInside(folder: string, path: string): string | undefined {
  const rest = relative(folder, path);
  if (rest === '') return '';
  if (rest === '..' || rest.startsWith(`..${sep}`) || isAbsolute(rest)) return undefined;
  return sep === '/' ? rest : rest.replaceAll(sep, '/');
}

/** True for the path itself and all below it. Both relative to one root; '' is the root. */
export function isUnder(relPath: string, folder: string): boolean {
  return folder === '' || relPath === folder || relPath.startsWith(`${folder}/`);
}
