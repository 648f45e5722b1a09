/** Text as the word index has it: folded, Chinese and Japanese cut into characters, file names cut into words. */
import { foldText } from './fold-text.ts';

/** Scripts that are written without spaces: each character is indexed by itself. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;
const everyUnspaced = new RegExp(unspaced.source, 'gu');
const tokens = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}]+/gu;

/** A word that nobody types, between texts that no phrase may span: unicode61 takes private use for letters. */
export const boundary = '\ue000';

export function isUnspaced(token: string): boolean {
  return unspaced.test(token);
}

/** Case, width and the accents of Latin, Greek and Cyrillic letters don't count; marks of other scripts are letters. */
function foldWords(text: string): string {
  // Most captions and names; a tenth of the time.
  if (!/[^\x20-\x7e]/.test(text)) return text.toLowerCase();
  return foldText(text.normalize('NFKD').replaceAll(/[\u0300-\u036f]/g, '')).normalize('NFKC');
}

/** @returns the folded words of a text in order; Chinese and Japanese characters one by one. */
export function wordsOf(text: string): string[] {
  return foldWords(text).match(tokens) ?? [];
}

/** What is handed to FTS5: the folded text with spaces around every character that stands for itself. */
export function indexText(text: string): string {
  return foldWords(text).replaceAll(everyUnspaced, ' $& ').trim();
}

/** What cameras (the DCF standard's free characters), phones and messengers begin their file names with. */
const cameraWords = new Set(
  `img mg imag image dsc dscn dscf dcp dcim pict picture pxl mvimg mvi mov vid video wp pano panorama burst gopr
  gopro gh gx dji sam cimg hpim sany scan kic stp wa fb received whatsapp signal telegram screenshot screen capture
  photo foto bild untitled bildschirmfoto unnamed file 微信图片 屏幕截图 截图 照片 图片 mmexport wechat`
    .split(/\s+/)
    .filter((word) => word !== ''),
);
/** What they add; by themselves these are words like any other. */
const addedWords = new Set(
  'hdr cover edit edited copy night portrait mp am pm at um von from raw jpeg'.split(' '),
);
const machineId = /^(?=.*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*$/;

/** @returns the words that a person gave a file, cut at camel case, digits and underscores; '' for a camera's name. */
export function nameWords(fileName: string): string {
  const stem = withoutExtension(fileName);
  const split = splitName(stem);
  return isCameraName(stem) ? '' : split;
}

function isCameraName(stem: string): boolean {
  if (machineId.test(stem.toLowerCase())) return true;
  const words = splitName(foldWords(stem))
    .split(' ')
    .filter((word) => !/^\p{N}*$/u.test(word));
  const fromCamera = (word: string): boolean => cameraWords.has(word) || /^[a-z]$/.test(word);
  return (
    words.every((word) => fromCamera(word) || addedWords.has(word)) &&
    (words.length === 0 || words.some(fromCamera))
  );
}

/** @returns "beachParty2019_dog" as "beach Party 2019 dog". */
export function splitName(name: string): string {
  return name
    .normalize('NFC')
    .replaceAll(/(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/gu, ' ')
    .replaceAll(/(?<=\p{L})(?=\p{N})|(?<=\p{N})(?=\p{L})/gu, ' ')
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
}

export function withoutExtension(fileName: string): string {
  const dot = fileName.lastIndexOf('.');
  return dot > 0 ? fileName.slice(0, dot) : fileName;
}

export function baseName(relPath: string): string {
  return relPath.slice(relPath.lastIndexOf('/') + 1);
}
