/** The page's calls over one channel: the sender's frame is checked, the message parsed, then it is dispatched. */
import { stat } from 'node:fs/promises';
import type { IpcMain, WebContents } from 'electron';
import { z } from 'zod';
import { events, type Client, type EventName } from '../../contract.ts';
import { AppError, type ErrorShape } from '../../errors.ts';
import type { Dispatch } from '../dispatch.ts';
import type { GrantBook } from '../grant-book.ts';
import { isOurFrame } from './origin.ts';

const callChannel = 'afterimage:call';
const messageChannel = 'afterimage:message';

const callId = z.string().min(1).max(64);
const message = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('call'), callId, name: z.string().max(64), input: z.unknown() }),
  z.strictObject({ kind: z.literal('cancel'), callId }),
  z.strictObject({ kind: z.literal('drop'), path: z.string().min(1).max(32_767) }),
]);

type Answer = { readonly output: unknown } | { readonly error: ErrorShape };

export interface Ipc {
  /** How many calls are being answered. */
  readonly running: number;
}

export function setupIpc(ipcMain: Pick<IpcMain, 'handle'>, dispatch: Dispatch, grants: GrantBook): Ipc {
  const pages = new Map<WebContents, Map<string, AbortController>>();

  /** A page's calls by their ids. A page that is reloaded or closed takes its calls with it. */
  const callsOf = (page: WebContents): Map<string, AbortController> => {
    const known = pages.get(page);
    if (known !== undefined) return known;
    const calls = new Map<string, AbortController>();
    const abortAll = (): void => calls.forEach((controller) => controller.abort());
    pages.set(page, calls);
    page.on('did-navigate', abortAll);
    page.once('destroyed', () => {
      abortAll();
      pages.delete(page);
    });
    return calls;
  };

  const answerCall = async (
    page: WebContents,
    call: { callId: string; name: string; input?: unknown },
  ): Promise<Answer> => {
    const calls = callsOf(page);
    if (calls.has(call.callId)) return failed(new AppError('input-invalid', 'Two calls came under one id.'));
    const controller = new AbortController();
    calls.set(call.callId, controller);
    try {
      const output = await dispatch(call.name, call.input, {
        signal: controller.signal,
        onProgress: (progress) => send(page, { kind: 'progress', callId: call.callId, progress }),
      });
      return { output };
    } catch (error) {
      return failed(error);
    } finally {
      calls.delete(call.callId);
    }
  };

  ipcMain.handle(callChannel, async (event, raw: unknown): Promise<Answer | string | null> => {
    if (!isOurFrame(event.senderFrame))
      return failed(new AppError('permission-denied', 'Only the page of Afterimage itself is answered.'));
    const parsed = message.safeParse(raw);
    if (!parsed.success) return failed(new AppError('input-invalid', 'The message is not a call.'));
    switch (parsed.data.kind) {
      case 'call':
        return answerCall(event.sender, parsed.data);
      case 'cancel':
        callsOf(event.sender).get(parsed.data.callId)?.abort();
        return null;
      case 'drop':
        return grantFolder(grants, parsed.data.path);
    }
  });
  return {
    get running() {
      return [...pages.values()].reduce((sum, calls) => sum + calls.size, 0);
    },
  };
}

/** Passes every event of the engine to the page. @returns a function that stops. */
export function forwardEvents(client: Pick<Client, 'on'>, page: WebContents): () => void {
  const names = Object.keys(events) as EventName[];
  const stops = names.map((name) =>
    client.on(name, (payload) => send(page, { kind: 'event', name, payload })),
  );
  const stop = (): void => stops.forEach((each) => each());
  page.once('destroyed', stop);
  return stop;
}

function send(page: WebContents, value: unknown): void {
  if (!page.isDestroyed()) page.send(messageChannel, value);
}

function failed(thrown: unknown): Answer {
  return { error: AppError.from(thrown, 'The call').toShape() };
}

/** @returns null for a dropped file: only folders are added. */
async function grantFolder(grants: GrantBook, path: string): Promise<string | null> {
  // A dropped thing that cannot be looked at is no folder to add.
  const info = await stat(path).catch(() => null);
  return info?.isDirectory() === true ? grants.issue(path) : null;
}
