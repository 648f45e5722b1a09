/** Cuts the typed text at its chips, so that each can be tinted where it stands. */
import type { Chip } from '../../../main/contract.ts';

export interface Segment {
  readonly text: string;
  readonly kind: Chip['kind'] | 'plain';
  readonly problem: boolean;
}

export function segments(text: string, chips: readonly Chip[]): Segment[] {
  const parts: Segment[] = [];
  let at = 0;
  const placed = chips
    .filter((chip) => chip.kind !== 'text')
    .flatMap(({ span, kind, problem }) =>
      span === null ? [] : [{ start: span[0], end: span[1], kind, problem }],
    )
    .sort((a, b) => a.start - b.start);
  for (const { start, end, kind, problem } of placed) {
    if (start < at || end > text.length) continue;
    if (start > at) parts.push({ text: text.slice(at, start), kind: 'plain', problem: false });
    parts.push({ text: text.slice(start, end), kind, problem: problem !== null });
    at = end;
  }
  if (at < text.length) parts.push({ text: text.slice(at), kind: 'plain', problem: false });
  return parts;
}
