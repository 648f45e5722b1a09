/** Reads CSV as RFC 4180 defines it, strictly: for checking what was written. */
export function parseCsv(text: string): string[][] {
  const content = text.startsWith('\ufeff') ? text.slice(1) : text;
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at < content.length) {
    let field = '';
    if (content[at] === '"') {
      for (at += 1; ; at += 1) {
        if (at >= content.length) throw new Error('a quoted field has no end');
        if (content[at] !== '"') field += content.charAt(at);
        else if (content[at + 1] === '"') {
          field += '"';
          at += 1;
        } else break;
      }
      at += 1;
    } else {
      while (at < content.length && content[at] !== ',' && content[at] !== '\r') {
        if (content[at] === '"' || content[at] === '\n') throw new Error(`a bare ${content[at] ?? ''}`);
        field += content.charAt(at);
        at += 1;
      }
    }
    row.push(field);
    if (content[at] === ',') at += 1;
    else if (content.startsWith('\r\n', at)) {
      rows.push(row);
      row = [];
      at += 2;
    } else throw new Error('a line does not end with CR LF');
  }
  return rows;
}
