/** GET /api/events: the engine's events as server-sent events, to any number of pages. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { events, type Client, type EventName } from '../../contract.ts';
import { commonHeaders } from '../reply.ts';

export interface EventStream {
  add(request: IncomingMessage, response: ServerResponse): void;
  readonly size: number;
  close(): void;
}

/** A page that has this much unread is asleep; it is dropped, and reconnects when it wakes. */
const mostUnreadBytes = 2 ** 20;

/** @param heartbeatMs proxies and sleeping laptops forget connections that stay silent. */
export function createEventStream(client: Pick<Client, 'on'>, heartbeatMs: number): EventStream {
  const listeners = new Set<ServerResponse>();
  const send = (text: string): void => {
    for (const response of listeners) {
      if (response.writableLength > mostUnreadBytes) response.destroy();
      else response.write(text);
    }
  };
  const names = Object.keys(events) as EventName[];
  const stops = names.map((name) =>
    client.on(name, (payload) => send(`event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`)),
  );
  const heartbeat = setInterval(() => send(': still here\n\n'), heartbeatMs);
  heartbeat.unref();

  return {
    add(request, response) {
      response.writeHead(200, {
        ...commonHeaders,
        'Content-Type': 'text/event-stream; charset=utf-8',
        'Cache-Control': 'no-store',
      });
      response.write('retry: 1000\n: welcome\n\n');
      listeners.add(response);
      response.once('close', () => listeners.delete(response));
      request.resume();
    },
    get size() {
      return listeners.size;
    },
    close() {
      clearInterval(heartbeat);
      for (const stop of stops) stop();
      for (const response of listeners) response.end();
      listeners.clear();
    },
  };
}
