/** The lines of a captions file: Flickr8k's two formats, and any CSV or TSV with a column of photos and one of captions. */
import { CsvError, parse } from 'csv-parse/sync';
import { AppError } from '../../../errors.ts';
import type { Skipped } from './statements.ts';

interface CaptionLine {
  /** From 1. */
  readonly line: number;
  /** As the file has it. */
  readonly photo: string;
  readonly caption: string;
}

export interface CaptionLines {
  readonly lines: readonly CaptionLine[];
  readonly skipped: readonly Skipped[];
}

const photoColumns = new Set(
  'image images image_name image_path imagename file filename file_name file_path filepath path photo photo_path img name'.split(
    ' ',
  ),
);
const captionColumns = new Set(
  'caption captions text title description comment sentence caption_text label'.split(' '),
);
const delimiters = [',', '\t', ';', '|'];
/** Longer than any sentence about a photo: an open quote swallowed what follows. */
const longest = 2_000;
/** Each open quote is looked for up to the end of the file: as many are stepped over as this many characters allow. */
const mostReread = 50_000_000;

/** `1000268201_693b08cb0e.jpg#0<TAB>A child in a pink dress .` (Hodosh, Young and Hockenmaier 2013) */
const token = /^(?<photo>[^\t]+?)#\d+\t(?<caption>.*)$/;
const photoName = /\.[a-z0-9]{2,5}$/i;

/** @param name for messages. @throws AppError input-invalid when no column can be told to hold photos or captions */
export function parseCaptions(text: string, name: string): CaptionLines {
  const rows = text.split(/\r\n|\n|\r/);
  const first = rows.find((row) => row.trim() !== '');
  if (first === undefined)
    throw new AppError('input-invalid', `"${name}" is empty. Choose a file with photos and captions.`);
  const found = token.test(first) ? tokenLines(rows) : tableLines(rows, first, name);
  const lines: CaptionLine[] = [];
  const skipped = [...found.skipped];
  for (const { line, photo, caption } of found.lines) {
    const reason = faultOf(photo.trim(), caption.trim());
    if (reason !== undefined) skipped.push({ line, reason });
    else lines.push({ line, photo: photo.trim(), caption: caption.trim().replaceAll(/\s+/g, ' ') });
  }
  return { lines, skipped: skipped.sort((a, b) => a.line - b.line) };
}

function faultOf(photo: string, caption: string): string | undefined {
  if (photo === '') return 'names no photo';
  if (caption === '') return 'has no caption';
  if (caption.length > longest)
    return `has a caption of ${String(caption.length)} characters: a quote may not be closed`;
  return undefined;
}

function tokenLines(rows: readonly string[]): CaptionLines {
  const lines: CaptionLine[] = [];
  const skipped: Skipped[] = [];
  rows.forEach((row, i) => {
    if (row.trim() === '') return;
    const { photo, caption } = token.exec(row)?.groups ?? {};
    if (photo === undefined || caption === undefined)
      skipped.push({
        line: i + 1,
        reason: 'is not a photo, a number and a caption (photo.jpg#0, tab, caption)',
      });
    else lines.push({ line: i + 1, photo, caption });
  });
  return { lines, skipped };
}

interface Columns {
  readonly delimiter: string;
  readonly photo: number;
  readonly caption: number;
  readonly header: boolean;
}

function tableLines(rows: readonly string[], first: string, name: string): CaptionLines {
  const columns = columnsOf(first);
  if (columns === undefined)
    throw new AppError(
      'input-invalid',
      `In "${name}" no column can be told to hold photos and none to hold captions. Begin it with a line "image,caption".`,
      { details: { file: name } },
    );
  const { records, skipped } = readRecords(rows, columns.delimiter);
  const lines = records.slice(columns.header ? 1 : 0).map(({ line, cells }): CaptionLine => {
    const last = columns.caption === columns.width - 1;
    // A caption with commas that nobody put in quotes goes on to the end of its line.
    const caption = last
      ? cells.slice(columns.caption).join(`${columns.delimiter} `)
      : cells[columns.caption];
    return { line, photo: cells[columns.photo] ?? '', caption: caption ?? '' };
  });
  return { lines, skipped };
}

function columnsOf(first: string): (Columns & { readonly width: number }) | undefined {
  const tries = delimiters.map((delimiter) => ({ delimiter, cells: splitLine(first, delimiter) }));
  for (const { delimiter, cells } of tries) {
    const names = cells.map((cell) =>
      cell
        .trim()
        .toLowerCase()
        .replaceAll(/[\s-]+/g, '_'),
    );
    const photo = names.findIndex((each) => photoColumns.has(each));
    const caption = names.findIndex((each) => captionColumns.has(each));
    if (photo !== -1 && caption !== -1)
      return { delimiter, photo, caption, header: true, width: names.length };
  }
  // Without a header the photo goes first, as everywhere.
  for (const { delimiter, cells } of tries)
    if (cells.length >= 2 && photoName.test(cells[0]?.trim() ?? ''))
      return { delimiter, photo: 0, caption: 1, header: false, width: 2 };
  return undefined;
}

function splitLine(line: string, delimiter: string): string[] {
  try {
    return parse(line, { delimiter, relax_quotes: true, trim: true })[0] ?? [];
  } catch (thrown) {
    if (thrown instanceof CsvError) return [];
    throw thrown;
  }
}

interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** A quote that is never closed costs its own line, not the rest of the file. */
function readRecords(
  rows: readonly string[],
  delimiter: string,
): { records: CsvRecord[]; skipped: Skipped[] } {
  const records: CsvRecord[] = [];
  const skipped: Skipped[] = [];
  let from = 0;
  let reread = 0;
  for (let open = 0; from < rows.length; open++) {
    const start = from;
    let read = start;
    const rest = rows.slice(start).join('\n');
    reread += open === 0 ? 0 : rest.length;
    try {
      parse(rest, {
        delimiter,
        quote: reread <= mostReread ? '"' : null,
        relax_quotes: true,
        relax_column_count: true,
        skip_empty_lines: true,
        trim: true,
        on_record: (cells: string[], { lines }) => {
          while (rows[read]?.trim() === '') read++;
          records.push({ line: read + 1, cells });
          read = start + lines;
          return null;
        },
      });
      break;
    } catch (thrown) {
      if (!(thrown instanceof CsvError)) throw thrown;
      while (rows[read]?.trim() === '') read++;
      skipped.push({ line: read + 1, reason: 'cannot be read: a quote is not closed' });
      from = read + 1;
    }
  }
  return { records, skipped };
}
