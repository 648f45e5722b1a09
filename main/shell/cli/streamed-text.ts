/** Words of a model as they come: shown on a terminal while they grow, and whole in any other output. */
import type { Output, Terminal } from './output.ts';

export interface StreamedText {
  /** @param text the whole text so far. */
  show(text: string): void;
  /** Ends the line. @returns whether `text` stands there already, whole. */
  end(text: string): boolean;
}

export function createStreamedText(terminal: Terminal, output: Pick<Output, 'json' | 'quiet'>): StreamedText {
  const streams = !output.json && !output.quiet && terminal.stdoutColumns !== undefined;
  let shown = '';
  return {
    show(text) {
      // A beam search may take words back; what stands there can't be.
      if (!streams || !text.startsWith(shown)) return;
      terminal.stdout(text.slice(shown.length));
      shown = text;
    },
    end(text) {
      if (shown === '') return false;
      const isWhole = text.startsWith(shown);
      terminal.stdout(`${isWhole ? text.slice(shown.length) : ''}\n`);
      return isWhole;
    },
  };
}
