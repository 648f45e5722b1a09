/** Doubles of the few Electron parts that the shell is handed: they keep what was set and replay what Electron does. */
import { EventEmitter } from 'node:events';
import type {
  App,
  BrowserWindow,
  BrowserWindowConstructorOptions,
  IpcMain,
  IpcMainInvokeEvent,
  MenuItemConstructorOptions,
  Protocol,
  Session,
  WebContents,
} from 'electron';

type Handler = (...values: never[]) => unknown;

/** An event of Electron's that can be stopped. */
export function stoppable(fields: Record<string, unknown> = {}): {
  prevented: boolean;
  preventDefault(): void;
} {
  return {
    ...fields,
    prevented: false,
    preventDefault() {
      this.prevented = true;
    },
  };
}

export class ContentsDouble extends EventEmitter {
  readonly id: number;
  url = 'app://afterimage/';
  destroyed = false;
  readonly sent: { channel: string; value: unknown }[] = [];
  readonly keys: unknown[] = [];
  reloads = 0;
  openHandler: ((details: { url: string }) => { action: string }) | undefined;

  constructor(id = 1) {
    super();
    this.id = id;
  }
  getURL(): string {
    return this.url;
  }
  isDestroyed(): boolean {
    return this.destroyed;
  }
  send(channel: string, value: unknown): void {
    // Electron clones what it sends.
    this.sent.push({ channel, value: structuredClone(value) });
    this.emit('sent', { channel, value });
  }
  setWindowOpenHandler(handler: (details: { url: string }) => { action: string }): void {
    this.openHandler = handler;
  }
  focus(): void {}
  reload(): void {
    this.reloads++;
  }
  sendInputEvent(event: unknown): void {
    this.keys.push(event);
  }
  get real(): WebContents {
    return this as unknown as WebContents;
  }
}

export class AppDouble extends EventEmitter {
  quits = 0;
  readonly #first: boolean;

  constructor(first = true) {
    super();
    this.#first = first;
  }
  requestSingleInstanceLock(): boolean {
    return this.#first;
  }
  quit(): void {
    this.quits++;
  }
  get real(): App {
    return this as unknown as App;
  }
}

export class SessionDouble extends EventEmitter {
  readonly set = new Map<string, Handler>();
  readonly webRequest = {
    onBeforeRequest: (handler: Handler): void => void this.set.set('onBeforeRequest', handler),
  };
  setPermissionRequestHandler(handler: Handler): void {
    this.set.set('permissionRequest', handler);
  }
  setPermissionCheckHandler(handler: Handler): void {
    this.set.set('permissionCheck', handler);
  }
  setDevicePermissionHandler(handler: Handler): void {
    this.set.set('devicePermission', handler);
  }
  setDisplayMediaRequestHandler(handler: Handler): void {
    this.set.set('displayMedia', handler);
  }
  /** Calls the handler that was set under a name. */
  ask(name: string, ...values: unknown[]): unknown {
    return (this.set.get(name) as unknown as (...each: unknown[]) => unknown)(...values);
  }
  get real(): Session {
    return this as unknown as Session;
  }
}

export class IpcDouble {
  readonly handlers = new Map<string, (event: IpcMainInvokeEvent, value: unknown) => unknown>();

  handle(channel: string, handler: (event: IpcMainInvokeEvent, value: unknown) => unknown): void {
    this.handlers.set(channel, handler);
  }
  /** As a page's invoke: the message and the answer are cloned on their way. */
  async invoke(
    sender: ContentsDouble,
    value: unknown,
    frame: { url: string; parent: unknown } | null = { url: sender.url, parent: null },
  ): Promise<unknown> {
    const [handler] = this.handlers.values();
    const event = { sender, senderFrame: frame } as unknown as IpcMainInvokeEvent;
    return structuredClone(await handler?.(event, structuredClone(value)));
  }
  get real(): IpcMain {
    return this as unknown as IpcMain;
  }
}

export class ProtocolDouble {
  readonly handlers = new Map<string, (request: Request) => Promise<Response>>();

  handle(scheme: string, handler: (request: Request) => Promise<Response>): void {
    this.handlers.set(scheme, handler);
  }
  /** Requests of an address exactly as written; `new Request` would tidy it. */
  fetch(url: string, init: { method?: string; headers?: Record<string, string> } = {}): Promise<Response> {
    const request = { url, method: init.method ?? 'GET', headers: new Headers(init.headers) };
    const handler = this.handlers.get(url.slice(0, url.indexOf(':')));
    if (handler === undefined) throw new Error(`no handler for ${url}`);
    return handler(request as unknown as Request);
  }
  get real(): Protocol {
    return this as unknown as Protocol;
  }
}

export class WindowDouble extends EventEmitter {
  readonly options: BrowserWindowConstructorOptions;
  readonly webContents = new ContentsDouble();
  readonly did: string[] = [];
  bounds = { x: 10, y: 20, width: 800, height: 600 };
  maximized = false;

  constructor(options: BrowserWindowConstructorOptions) {
    super();
    this.options = options;
  }
  loadURL(url: string): Promise<void> {
    this.did.push(`load ${url}`);
    return Promise.resolve();
  }
  show(): void {
    this.did.push('show');
  }
  maximize(): void {
    this.did.push('maximize');
  }
  isMaximized(): boolean {
    return this.maximized;
  }
  isDestroyed(): boolean {
    return false;
  }
  getNormalBounds(): typeof this.bounds {
    return this.bounds;
  }
  get real(): BrowserWindow {
    return this as unknown as BrowserWindow;
  }
}

export class MenuDouble {
  template: MenuItemConstructorOptions[] = [];

  buildFromTemplate(template: MenuItemConstructorOptions[]): never {
    this.template = template;
    return undefined as never;
  }
  setApplicationMenu(): void {}
}
