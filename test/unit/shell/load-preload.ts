/** Runs the preload script as Electron's sandbox does: CommonJS, with `electron` as all that can be required. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import vm from 'node:vm';

/** What the preload puts on `window`. */
export interface Bridge {
  call(callId: string, name: string, input: unknown, onProgress?: (value: unknown) => void): Promise<unknown>;
  cancel(callId: string): void;
  on(name: string, listener: (payload: unknown) => void): () => void;
  grantDropped(file: unknown): Promise<string | null>;
}

/** Of Electron's ipcRenderer, what the preload uses. */
export interface RendererIpc {
  on: (channel: string, listener: (...values: unknown[]) => void) => unknown;
  invoke(channel: string, message: unknown): Promise<unknown>;
}

/** @returns everything that the preload exposed, by name. */
export function loadPreload(ipcRenderer: RendererIpc): Map<string, Bridge> {
  const file = new URL('../../../main/shell/electron/preload.cts', import.meta.url);
  const code = stripTypeScriptTypes(readFileSync(file, 'utf8'));
  const exposed = new Map<string, Bridge>();
  const electron = {
    contextBridge: { exposeInMainWorld: (name: string, api: Bridge) => void exposed.set(name, api) },
    ipcRenderer,
    webUtils: { getPathForFile: (dropped: { path?: string }) => dropped.path ?? '' },
  };
  const require = (name: string): unknown => {
    if (name === 'electron') return electron;
    throw new Error(`a sandboxed preload cannot require ${name}`);
  };
  vm.runInNewContext(code, { require, exports: {}, module: { exports: {} } });
  return exposed;
}
