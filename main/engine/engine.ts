/** One engine: answers the contract's calls with the rooms it opened, and what shells need besides. */
import { z } from 'zod';
import {
  calls,
  type CallInput,
  type CallOutput,
  type EngineCallName,
  type EventName,
  type EventPayload,
} from '../contract.ts';
import { AppError } from '../errors.ts';
import { albumHandlers } from './album-handlers.ts';
import { askHandlers } from './ask-handlers.ts';
import { captionHandlers } from './caption-handlers.ts';
import { feedbackHandlers } from './feedback-handlers.ts';
import { indexingHandlers } from './indexing-handlers.ts';
import { labHandlers } from './lab-handlers.ts';
import { libraryHandlers, refuseWriting } from './library-handlers.ts';
import { nameHandlers } from './name-handlers.ts';
import { openRooms } from './open-rooms.ts';
import { packHandlers } from './pack-handlers.ts';
import { photoAt, photoFile, photoPicture } from './photo-files.ts';
import { photoHandlers } from './photo-handlers.ts';
import type { Rooms } from './rooms.ts';
import { settingsHandlers } from './settings-handlers.ts';
import { tagHandlers } from './tag-handlers.ts';
import { tuneHandlers } from './tune-handlers.ts';
import type { Engine, EngineOptions, Handlers } from './types.ts';

/**
 * Opens the library. Unless told not to watch, begins loading the active pack and its index, and looks for changed
 * photos, in the background. Calls are answered at once; those that need the pack load it or wait for it.
 * @throws AppError library-locked, library-newer, library-damaged, permission-denied, disk-full
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const opened = openRooms(options);
  const { rooms } = opened;
  const { store, library, decoder, bus, grants, log } = rooms;
  const handlers = createHandlers(rooms);

  let closing: Promise<void> | undefined;
  const engine: Engine = {
    call<K extends EngineCallName>(
      name: K,
      input: CallInput<K>,
      context: Parameters<Engine['call']>[2] = {},
    ) {
      const signal = context.signal ?? new AbortController().signal;
      const progress = (context.progress ?? ignore) as (value: unknown) => void;
      return engine.callUnknown(name, input, { signal, progress }) as Promise<CallOutput<K>>;
    },
    async callUnknown(name, input, context) {
      if (!isEngineCall(name)) throw new AppError('input-invalid', 'There is no call of that name here.');
      if (closing !== undefined) throw new AppError('engine-stopped', 'The engine is closing.');
      const parsed = calls[name].input.safeParse(input);
      if (!parsed.success)
        throw new AppError('input-invalid', `${name} does not take that: ${z.prettifyError(parsed.error)}`);
      refuseWriting(name, store);
      try {
        const handler = handlers[name] as (input: unknown, context: unknown) => unknown;
        return await handler(parsed.data, context);
      } catch (thrown) {
        const error = AppError.from(thrown, `The call ${name}`);
        if (error.code === 'internal') log.error('a call failed', { name, stack: stackOf(thrown) });
        throw error;
      }
    },
    on: <K extends EventName>(name: K, listener: (payload: EventPayload<K>) => void) =>
      bus.onAny((event, payload) => {
        if (event === name) listener(payload as EventPayload<K>);
      }),
    onAny: (listener) => bus.onAny(listener),
    grant: (path) => grants.issue(path),
    photoFile: (photoId) => photoFile(store, library, photoId),
    thumbnail: (photoId) => library.thumbnail(photoId),
    displayImage: (photoId, maxEdge) => photoPicture(library, decoder, photoId, maxEdge),
    photoAt: (path) => photoAt(store, path),
    close() {
      closing ??= opened.close();
      return closing;
    },
  };

  return Promise.resolve(engine);
}

function createHandlers(rooms: Rooms): Handlers {
  const { search, describing } = rooms;
  const { courtesy } = describing;
  return {
    ...libraryHandlers(rooms),
    ...indexingHandlers(rooms),
    ...photoHandlers(rooms),
    ...captionHandlers(rooms),
    ...askHandlers(rooms),
    ...tagHandlers(rooms),
    ...albumHandlers(rooms),
    ...tuneHandlers(rooms),
    ...feedbackHandlers(rooms),
    ...nameHandlers(rooms),
    ...labHandlers(rooms),
    ...packHandlers(rooms),
    ...settingsHandlers(rooms),
    'search.query': (input, { signal }) => courtesy.search(() => search.query(input, signal)),
    'search.why': (input, { signal }) => courtesy.search(() => search.why(input, signal)),
    'search.parse': (input) => search.parse(input),
    'search.addExample': (input, { signal }) => search.addExample(input, signal),
    'search.classify': (input, { signal }) => search.classify(input, signal),
    'search.suggestions': (_input, { signal }) => search.suggestions(signal),
  };
}

function isEngineCall(name: string): name is EngineCallName {
  return Object.hasOwn(calls, name) && calls[name as keyof typeof calls].at === 'engine';
}

const ignore = (): void => undefined;

function stackOf(thrown: unknown): string {
  const error = thrown instanceof AppError && thrown.cause instanceof Error ? thrown.cause : thrown;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
