/** Folds text for comparing, so that `in:été` finds "ÉTÉ" however the disk spells it. */

/**
 * Unicode-aware and locale-free: composes (NFC), then folds case both ways (ß → ss, final sigma → sigma).
 * Folding a path part by part gives the same as folding it whole.
 */
export function foldText(text: string): string {
  return text.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC').replaceAll('ς', 'σ');
}
