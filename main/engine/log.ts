/** The log every room is handed: structured lines to stderr, silent in tests. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** @param write receives one line without its newline. */
export function createLog(
  write: (line: string) => void,
  options: { verbose: boolean; now: () => number },
): Log {
  const line =
    (level: string) =>
    (message: string, fields?: Readonly<Record<string, unknown>>): void => {
      if (level === 'debug' && !options.verbose) return;
      const rest = fields === undefined ? '' : ` ${JSON.stringify(fields)}`;
      write(`${new Date(options.now()).toISOString()} ${level} ${message}${rest}`);
    };
  return { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
}
