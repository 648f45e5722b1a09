/** Puts an engine behind a port: request ids, cancelling, throttled progress, events, errors as shapes. */
import { z } from 'zod';
import type { Engine, ShellServiceName } from '../engine/types.ts';
import { AppError } from '../errors.ts';
import type { Port } from './port.ts';
import { toHost, type ToClient } from './protocol.ts';

/** Between two progress messages of one call; the first and whatever comes after the pause are sent. */
const progressEveryMs = 100;

/**
 * Answers a client until it says close or goes away. The engine is closed then, and only then.
 * @returns when the engine is closed.
 */
export function serveEngine(
  engine: Engine,
  port: Port,
  options: { readonly now: () => number },
): Promise<void> {
  const running = new Map<number, AbortController>();
  const post = (message: ToClient): void => port.postMessage(message);
  const answer = async (id: number, about: string, work: (signal: AbortSignal) => Promise<unknown>) => {
    const controller = new AbortController();
    running.set(id, controller);
    try {
      post({ type: 'result', id, output: await work(controller.signal) });
    } catch (thrown) {
      post({ type: 'error', id, error: AppError.from(thrown, about).toShape() });
    } finally {
      running.delete(id);
    }
  };
  const stopEvents = engine.onAny((name, payload) => post({ type: 'event', name, payload }));
  return new Promise((resolve) => {
    let closing = false;
    const stop = async (): Promise<void> => {
      if (closing) return;
      closing = true;
      for (const controller of running.values()) controller.abort();
      stopEvents();
      await engine.close();
      post({ type: 'closed' });
      resolve();
    };
    port.on('message', (raw) => {
      const parsed = toHost.safeParse(raw);
      // Anything else on this port is meant for somebody else (Electron sends ports of its own).
      if (!parsed.success) return;
      const message = parsed.data;
      switch (message.type) {
        case 'call': {
          const progress = throttled(options.now, (value) =>
            post({ type: 'progress', id: message.id, progress: value }),
          );
          void answer(message.id, `The call ${message.name}`, (signal) =>
            engine.callUnknown(message.name, message.input, { signal, progress }),
          );
          return;
        }
        case 'service':
          void answer(message.id, `The service ${message.name}`, () =>
            serve(engine, message.name, message.argument),
          );
          return;
        case 'cancel':
          running.get(message.id)?.abort();
          return;
        case 'close':
          void stop();
      }
    });
    port.on('close', () => void stop());
    post({ type: 'ready' });
  });
}

async function serve(engine: Engine, name: string, argument: unknown): Promise<unknown> {
  switch (name as ShellServiceName) {
    case 'grant':
      return engine.grant(asText(argument));
    case 'photoAt':
      return engine.photoAt(asText(argument));
    case 'photoFile':
      return engine.photoFile(asId(argument));
    case 'displayImage': {
      const { photoId, maxEdge } = displayRequest.parse(argument);
      return engine.displayImage(photoId, maxEdge);
    }
    case 'thumbnail':
      return engine.thumbnail(asId(argument));
    default:
      throw new AppError('input-invalid', `There is no service called ${name}.`);
  }
}

const displayRequest = z.object({ photoId: z.int().nonnegative(), maxEdge: z.int().positive() });

function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new AppError('input-invalid', 'A path must be a string.');
}

function asId(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new AppError('input-invalid', 'A photo id must be a whole number.');
}

function throttled(now: () => number, send: (value: unknown) => void): (value: unknown) => void {
  let lastAt = -Infinity;
  return (value) => {
    const at = now();
    if (at - lastAt < progressEveryMs) return;
    lastAt = at;
    send(value);
  };
}
