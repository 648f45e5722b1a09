/** Puts a picture on the clipboard as PNG, the one format that every system's clipboard takes. */

/** @param urls tried in order: the original, then its small copy. @returns whether it is there. */
export async function copyPicture(urls: readonly string[]): Promise<boolean> {
  for (const url of urls) {
    try {
      await navigator.clipboard.write([new ClipboardItem({ 'image/png': toPng(url) })]);
      return true;
    } catch {
      // The original may be of a kind that the page cannot draw; its small copy always can be.
    }
  }
  return false;
}

async function toPng(url: string): Promise<Blob> {
  const picture = new Image();
  picture.crossOrigin = 'anonymous';
  picture.src = url;
  await picture.decode();
  const canvas = document.createElement('canvas');
  canvas.width = picture.naturalWidth;
  canvas.height = picture.naturalHeight;
  canvas.getContext('2d')?.drawImage(picture, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error(url)) : resolve(blob)), 'image/png');
  });
}
