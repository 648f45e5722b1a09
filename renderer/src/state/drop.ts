/** Pictures and folders dropped or pasted on the window. */
import type { App } from '../app.svelte.ts';

/** The engine takes 48 MiB; a larger picture is refused before it is read. */
const mostBytes = 48 * 2 ** 20;
const previewSize = 64;

/** Searches by a picture that is not in the library. */
export async function addPicture(app: App, file: File): Promise<void> {
  if (file.size > mostBytes) {
    app.notices.fromEngine({
      code: 'image-too-large',
      message: '',
      details: { name: file.name },
      level: 'warning',
      key: 'drop',
    });
    return;
  }
  try {
    const [image, preview] = await Promise.all([toBase64(file), thumbnail(file)]);
    const { exampleId, name } = await app.client.call('search.addExample', {
      image,
      name: file.name.slice(-255),
    });
    app.routes.go('photos');
    app.search.likeDropped({ exampleId, name, preview });
  } catch (error) {
    app.notices.report(error);
  }
}

/** Takes what was dropped: the first folder is added, otherwise pictures become examples. */
export async function takeDrop(app: App, data: DataTransfer): Promise<void> {
  const items = [...data.items].filter((item) => item.kind === 'file');
  // Entries and files can only be asked for before the first await.
  const dropped = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const folders = dropped.filter(({ entry }) => entry?.isDirectory === true);
  for (const { entry, file } of folders) {
    const name = entry?.name ?? file?.name ?? '';
    const grant = file === null ? null : await app.client.grantDropped(file);
    if (grant !== null) await app.folders.addGranted({ grant, name });
    else {
      await app.folders.add(app.words.t.folders.droppedInBrowser(name));
      return;
    }
  }
  if (folders.length > 0) return;
  const pictures = dropped.flatMap(({ file }) => (file === null ? [] : [file]));
  if (pictures.length === 0) app.notices.tell(app.words.t.search.imageOnly);
  for (const picture of pictures.slice(0, 4)) await addPicture(app, picture);
}

async function toBase64(file: File): Promise<string> {
  const url = await new Promise<string>((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
  return url.slice(url.indexOf(',') + 1);
}

async function thumbnail(file: File): Promise<ImageBitmap | null> {
  try {
    return await createImageBitmap(file, { resizeHeight: previewSize, resizeQuality: 'medium' });
  } catch {
    // A format only the engine reads (HEIC, TIFF): the chip shows an icon.
    return null;
  }
}
