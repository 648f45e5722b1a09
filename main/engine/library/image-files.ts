/** Which names a walk looks at: extensions that photos have, and folders that hold no photos of a person's own. */

/**
 * Extensions of photos. What a file really is, its bytes decide, in the decoder; formats that no decoder here
 * reads (camera raw, Photoshop, JPEG XL, ...) are listed too, so that people are told about them instead of
 * missing them silently.
 */
const imageExtensions = new Set(
  [
    'jpg jpeg jpe jfif jif png apng webp gif tif tiff avif avifs heic heics heif heifs hif mpo svg svgz',
    'bmp dib ico jxl jp2 j2k j2c jpc jpf jpx jxr wdp hdp psd psb tga pcx qoi ppm pgm pbm pnm pam exr hdr',
    'dng cr2 cr3 crw nef nrw arw srf sr2 raf orf rw2 rwl pef srw x3f 3fr fff iiq erf mef mos mrw kdc dcr',
  ].flatMap((line) => line.split(' ')),
);

export function isImageName(name: string): boolean {
  const dot = name.lastIndexOf('.');
  return dot > 0 && imageExtensions.has(name.slice(dot + 1).toLowerCase());
}

/** Lower-cased names of folders that systems, NAS boxes and tools fill with copies, previews and deleted files. */
const systemFolders = new Set([
  '$recycle.bin',
  'recycler',
  'system volume information',
  'lost+found',
  '@eadir',
  '#recycle',
  '#snapshot',
  '@recycle',
  '__macosx',
  'node_modules',
]);

/** Inside a photo manager's package only the originals are photos of their own; the rest is derived from them. */
const packageExtension = /\.(photoslibrary|photolibrary|aplibrary|migratedphotolibrary)$/i;
const originalsFolders = new Set(['originals', 'masters']);

/** @param parent name of the folder it lies in, null directly below a root. */
export function isSkippedFolder(name: string, parent: string | null): boolean {
  if (name.startsWith('.') || systemFolders.has(name.toLowerCase())) return true;
  return parent !== null && packageExtension.test(parent) && !originalsFolders.has(name.toLowerCase());
}

/** A dot makes a file hidden; `._name.jpg` is macOS's sidecar on foreign disks. */
export function isSkippedFile(name: string, parent: string | null): boolean {
  return name.startsWith('.') || !isImageName(name) || (parent !== null && packageExtension.test(parent));
}

/** True when the walk of its root would not go there. @param relPath '/' between parts. */
export function isSkippedPath(relPath: string, isFolder: boolean): boolean {
  const parts = relPath.split('/');
  return parts.some((part, index) => {
    const parent = parts[index - 1] ?? null;
    const last = index === parts.length - 1;
    return last && !isFolder ? isSkippedFile(part, parent) : isSkippedFolder(part, parent);
  });
}
