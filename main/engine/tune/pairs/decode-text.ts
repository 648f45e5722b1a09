/** From the bytes of a text file to its text, whatever editor wrote it. */
import { AppError } from '../../../errors.ts';

export interface DecodedText {
  readonly text: string;
  /** Null where the encoding is certain. */
  readonly remark: string | null;
}

const looked = 65_536;
/** Control characters that no text has, apart from tabs, line ends and form feeds. */
const control = (byte: number): boolean => byte < 9 || (byte > 13 && byte < 32 && byte !== 27);

/**
 * UTF-8 with or without byte order mark, UTF-16 with one, and otherwise Windows-1252, which any bytes are.
 * @param name for messages. @throws AppError input-invalid for bytes that are no text
 */
export function decodeText(bytes: Uint8Array, name: string): DecodedText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: decode(bytes, 'utf-16le'), remark: null };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { text: decode(bytes, 'utf-16be'), remark: null };
  const start = bytes.subarray(0, looked);
  const strange = start.reduce((sum, byte) => sum + Number(control(byte)), 0);
  if (start.includes(0) || strange > start.length / 20)
    throw new AppError(
      'input-invalid',
      `"${name}" is not a text file. Choose a captions.txt, a CSV or a TSV with photos and their captions.`,
      { details: { file: name } },
    );
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), remark: null };
  } catch {
    return {
      text: decode(bytes, 'windows-1252'),
      remark: `"${name}" is not UTF-8 and was read as Windows-1252. Save it as UTF-8 if letters look wrong.`,
    };
  }
}

/** Takes the byte order mark away. */
function decode(bytes: Uint8Array, encoding: string): string {
  return new TextDecoder(encoding).decode(bytes);
}
