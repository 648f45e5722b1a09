/** The bridge between the page and the main process: calls by name, events by name, a grant for what is dropped. */
import type { ContextBridge, IpcRenderer, IpcRendererEvent, WebUtils } from 'electron';

// A sandboxed preload has CommonJS only; this file's one import is a type.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { contextBridge, ipcRenderer, webUtils } = require('electron') as {
  contextBridge: ContextBridge;
  ipcRenderer: IpcRenderer;
  webUtils: WebUtils;
};

type Message =
  | { readonly kind: 'progress'; readonly callId: string; readonly progress: unknown }
  | { readonly kind: 'event'; readonly name: string; readonly payload: unknown };

const progressListeners = new Map<string, (value: unknown) => void>();
const eventListeners = new Map<string, Set<(payload: unknown) => void>>();

ipcRenderer.on('afterimage:message', (_event: IpcRendererEvent, message: Message) => {
  if (message.kind === 'progress') progressListeners.get(message.callId)?.(message.progress);
  else for (const listener of eventListeners.get(message.name) ?? []) listener(message.payload);
});

contextBridge.exposeInMainWorld('afterimage', {
  async call(callId: string, name: string, input: unknown, onProgress?: (value: unknown) => void) {
    if (onProgress !== undefined) progressListeners.set(callId, onProgress);
    try {
      return (await ipcRenderer.invoke('afterimage:call', { kind: 'call', callId, name, input })) as unknown;
    } finally {
      progressListeners.delete(callId);
    }
  },
  cancel(callId: string): void {
    void ipcRenderer.invoke('afterimage:call', { kind: 'cancel', callId });
  },
  on(name: string, listener: (payload: unknown) => void): () => void {
    const listeners = eventListeners.get(name) ?? new Set();
    eventListeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  },
  /** The page holds a File; only here its path is known, and only the main process sees it. */
  async grantDropped(file: File): Promise<string | null> {
    const path = webUtils.getPathForFile(file);
    if (path === '') return null;
    return (await ipcRenderer.invoke('afterimage:call', { kind: 'drop', path })) as string | null;
  },
});
