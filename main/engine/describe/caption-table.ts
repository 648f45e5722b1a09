/** Captions as a table: CSV (RFC 4180) in UTF-8 with a byte order mark, so that Excel reads it as such. */

export interface CaptionLine {
  readonly path: string;
  readonly caption: string;
  readonly by: 'hand' | 'model' | '';
  readonly confidence: number | null;
  readonly tags: readonly string[];
}

const byteOrderMark = '\ufeff';
export const captionTableHeader = `${byteOrderMark}path,caption,by,confidence,tags\r\n`;

/** Tags are joined by semicolons within their field. */
export function captionLine({ path, caption, by, confidence, tags }: CaptionLine): string {
  const fields = [path, caption, by, confidence === null ? '' : confidence.toFixed(3), tags.join('; ')];
  return `${fields.map(field).join(',')}\r\n`;
}

/**
 * A field that begins like a formula is one to a spreadsheet: an apostrophe before it makes it text again
 * (OWASP, CSV Injection).
 */
function field(text: string): string {
  const safe = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
