/** Opens a link in the person's browser, with the program that each system has for it. */
import { spawn } from 'node:child_process';

/** @returns false where this system has no such program that is known here. */
export function openInBrowser(url: string, platform: NodeJS.Platform, start = spawn): boolean {
  const command = commandFor(url, platform);
  if (command === undefined) return false;
  const [program, args] = command;
  const child = start(program, args, { stdio: 'ignore', detached: true });
  // The link is printed too: a browser that does not open is no failure.
  child.on('error', () => undefined);
  child.unref();
  return true;
}

function commandFor(url: string, platform: NodeJS.Platform): [string, string[]] | undefined {
  switch (platform) {
    case 'darwin':
      return ['open', [url]];
    case 'win32':
      // Not `start`: the shell would read the link's & as its own.
      return ['rundll32', ['url.dll,FileProtocolHandler', url]];
    case 'linux':
      return ['xdg-open', [url]];
    default:
      return undefined;
  }
}
