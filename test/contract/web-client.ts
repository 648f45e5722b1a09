/** The web shell over a real engine process, and a client that speaks HTTP to it as the page does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../../main/contract.ts';
import { silentLog } from '../../main/engine/log.ts';
import { AppError } from '../../main/errors.ts';
import type { EngineArguments } from '../../main/host/engine-arguments.ts';
import { forkEngine } from '../../main/host/fork-engine.ts';
import { startHost } from '../../main/host/start-host.ts';
import { serveWeb, type WebShell } from '../../main/shell/web/server.ts';
import type { OpenAdapter } from './suite.ts';
import { open, type Answer } from './wire-client.ts';

export async function openWebShell(options: EngineArguments): Promise<OpenAdapter> {
  const engine = await startHost({ spawnEngine: () => forkEngine(options), log: silentLog, now: Date.now });
  const page = mkdtempSync(join(tmpdir(), 'afterimage-page-'));
  writeFileSync(join(page, 'index.html'), '<!doctype html>');
  const shell = await serveWeb({ access: engine, rendererDir: page, version: '0', log: silentLog, port: 0 });
  const client = await connectHttp(shell);
  return {
    client: {
      ...client,
      async close() {
        await client.close();
        await shell.close();
        await engine.close();
        rmSync(page, { recursive: true, force: true });
      },
    },
    grant: (path) => engine.grant(path),
  };
}

/** @returns once its event stream is open, so that no event is missed. */
async function connectHttp(shell: WebShell): Promise<Client> {
  const address = `http://127.0.0.1:${shell.port}`;
  const authorization = `Bearer ${shell.token}`;
  const listeners = new Set<(name: string, payload: unknown) => void>();
  const leaving = new AbortController();
  const events = await fetch(`${address}/api/events`, { headers: { authorization }, signal: leaving.signal });
  const reading = readEvents(events, (name, payload) => {
    for (const listener of listeners) listener(name, payload);
  });

  return {
    async call(name, input, options = {}) {
      try {
        const response = await fetch(`${address}/api/call/${name}`, {
          method: 'POST',
          headers: {
            authorization,
            'content-type': 'application/json',
            accept: options.onProgress === undefined ? 'application/json' : 'application/x-ndjson',
          },
          body: JSON.stringify(input),
          signal: options.signal ?? null,
        });
        for await (const value of jsonLines(response)) {
          if ('progress' in value) options.onProgress?.(value.progress as never);
          else return open(value) as never;
        }
        throw new AppError('engine-stopped', 'There was no answer.');
      } catch (error) {
        throw AppError.from(error, name);
      }
    },
    on(name, listener) {
      const each = (event: string, payload: unknown): void => {
        if (event === name) listener(payload as never);
      };
      listeners.add(each);
      return () => void listeners.delete(each);
    },
    async close() {
      leaving.abort();
      await reading;
    },
  };
}

async function* jsonLines(response: Response): AsyncGenerator<{ progress: unknown } | Answer> {
  for await (const line of splitAt(response, '\n'))
    if (line.trim() !== '') yield JSON.parse(line) as { progress: unknown } | Answer;
}

async function readEvents(
  response: Response,
  heard: (name: string, payload: unknown) => void,
): Promise<void> {
  try {
    for await (const block of splitAt(response, '\n\n')) {
      const [, name, data] = /^event: (.*)\ndata: (.*)$/m.exec(block) ?? [];
      if (name !== undefined && data !== undefined) heard(name, JSON.parse(data));
    }
  } catch (error) {
    if ((error as Error).name !== 'AbortError') throw error;
  }
}

async function* splitAt(response: Response, mark: string): AsyncGenerator<string> {
  let rest = '';
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split(mark);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  yield rest;
}
