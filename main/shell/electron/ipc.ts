/** The page's calls over one channel: the sender's frame is checked, the message parsed, then it is dispatched. */
import { stat } from 'node:fs/promises';
import type { IpcMain, IpcMainInvokeEvent, WebContents } from 'electron';
import { z } from 'zod';
import { events, type Client, type EventName } from '../../contract.ts';
import { AppError, type ErrorShape } from '../../errors.ts';
import type { Dispatch } from '../dispatch.ts';
import type { GrantBook } from '../grant-book.ts';
import { isOurFrame } from './origin.ts';

export const callChannel = 'afterimage:call';
export const messageChannel = 'afterimage:message';

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
  const running = new Map<string, AbortController>();

  const answerCall = async (
    event: IpcMainInvokeEvent,
    call: { callId: string; name: string; input?: unknown },
  ): Promise<Answer> => {
    const key = `${event.sender.id}:${call.callId}`;
    if (running.has(key)) return failed(new AppError('input-invalid', 'Two calls came under one id.'));
    const controller = new AbortController();
    const leave = (): void => controller.abort();
    running.set(key, controller);
    // A page that is reloaded or closed takes its calls with it.
    event.sender.once('destroyed', leave);
    event.sender.once('did-navigate', leave);
    try {
      const output = await dispatch(call.name, call.input, {
        signal: controller.signal,
        onProgress: (progress) => send(event.sender, { kind: 'progress', callId: call.callId, progress }),
      });
      return { output };
    } catch (error) {
      return failed(error);
    } finally {
      event.sender.removeListener('destroyed', leave);
      event.sender.removeListener('did-navigate', leave);
      running.delete(key);
    }
  };

  ipcMain.handle(callChannel, async (event, raw: unknown): Promise<Answer | string | null> => {
    if (!isOurFrame(event.senderFrame))
      return failed(new AppError('permission-denied', 'Only the page of Afterimage itself is answered.'));
    const parsed = message.safeParse(raw);
    if (!parsed.success) return failed(new AppError('input-invalid', 'The message is not a call.'));
    switch (parsed.data.kind) {
      case 'call':
        return answerCall(event, parsed.data);
      case 'cancel':
        running.get(`${event.sender.id}:${parsed.data.callId}`)?.abort();
        return null;
      case 'drop':
        return grantFolder(grants, parsed.data.path);
    }
  });
  return {
    get running() {
      return running.size;
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
