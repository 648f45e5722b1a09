/** The packs that caption and answer: which are in use, loaded when first needed, replaced under running work. */
import { z } from 'zod';
import { AppError } from '../errors.ts';
import type { LanguageTask, UseModel } from './describe/types.ts';
import type { LanguageModel } from './inference/language/types.ts';
import type { Log } from './log.ts';
import type { Store } from './store/types.ts';

export interface LanguageKeeperOptions {
  readonly store: Store;
  readonly log: Log;
  /** The packs that a new library begins with. */
  readonly defaultPackIds: Readonly<Record<LanguageTask, string>>;
  /** Reads the pack; its process is started by its first request. @throws AppError pack-missing, pack-invalid */
  readonly load: (packId: string) => Promise<LanguageModel>;
}

export interface LanguageKeeper {
  packId(task: LanguageTask): string;
  /** What this pack is in use for. */
  tasksOf(packId: string): LanguageTask[];
  readonly useModel: UseModel;
  /** From now on this pack does its tasks. What it replaces is closed once nobody works with it. */
  choose(pack: { readonly id: string; readonly tasks: readonly string[] }): void;
  /** The files of these packs are others than before or gone: they are read anew when next needed. */
  forget(packIds?: readonly string[]): void;
  /** Back to the packs that a new library begins with. */
  reset(): void;
  /** Ends the processes and waits for all work that used them. */
  close(): Promise<void>;
}

interface Slot {
  readonly loading: Promise<LanguageModel>;
  users: number;
  retired: boolean;
}

const settingKey = 'language.packs';
const chosenPacks = z.object({ caption: z.string().optional(), answer: z.string().optional() });
const tasks: readonly LanguageTask[] = ['caption', 'answer'];

export function createLanguageKeeper(options: LanguageKeeperOptions): LanguageKeeper {
  const { store, log, defaultPackIds } = options;
  /** By pack: one that captions and answers is there once. */
  const slots = new Map<string, Slot>();
  const closings = new Set<Promise<void>>();
  const work = new Set<Promise<unknown>>();
  let closed = false;
  const isClosed = (): boolean => closed;

  const chosen = (): z.output<typeof chosenPacks> =>
    chosenPacks.safeParse(store.settings.get(settingKey)).data ?? {};
  const packId = (task: LanguageTask): string => chosen()[task] ?? defaultPackIds[task];

  const close = (slot: Slot): void => {
    const closing = slot.loading
      .then((model) => model.close())
      .catch((thrown: unknown) => {
        log.debug('a language pack that was given up had not been loaded', { reason: String(thrown) });
      })
      .finally(() => closings.delete(closing));
    closings.add(closing);
  };
  const retire = (id: string): void => {
    const slot = slots.get(id);
    if (slot === undefined) return;
    slots.delete(id);
    slot.retired = true;
    if (slot.users === 0) close(slot);
  };
  const slotOf = (id: string): Slot => {
    const found = slots.get(id);
    if (found !== undefined) return found;
    const slot: Slot = { loading: options.load(id), users: 0, retired: false };
    slots.set(id, slot);
    // A failure is not kept: the pack may be mended by the next time.
    slot.loading.catch(() => {
      if (slots.get(id) === slot) slots.delete(id);
    });
    return slot;
  };
  const lend = async <T>(task: LanguageTask, borrow: (model: LanguageModel) => Promise<T>): Promise<T> => {
    if (closed) throw stopped();
    const slot = slotOf(packId(task));
    slot.users += 1;
    try {
      const model = await slot.loading;
      if (isClosed()) throw stopped();
      if (!model.tasks.includes(task))
        throw new AppError(
          'not-supported',
          `${model.name} does not ${task === 'caption' ? 'write captions' : 'answer questions'}. Choose another model for that in the settings.`,
        );
      return await borrow(model);
    } finally {
      slot.users -= 1;
      if (slot.retired && slot.users === 0) close(slot);
    }
  };

  return {
    packId,
    tasksOf: (id) => tasks.filter((task) => packId(task) === id),
    async useModel(task, borrow) {
      const running = lend(task, borrow);
      const settled = running.then(
        () => undefined,
        () => undefined,
      );
      work.add(settled);
      void settled.then(() => work.delete(settled));
      return running;
    },
    choose(pack) {
      const mine = tasks.filter((task) => pack.tasks.includes(task));
      store.settings.set(settingKey, {
        ...chosen(),
        ...Object.fromEntries(mine.map((task) => [task, pack.id])),
      });
      const inUse = new Set(tasks.map(packId));
      for (const id of [...slots.keys()]) if (!inUse.has(id)) retire(id);
    },
    forget(packIds = [...slots.keys()]) {
      for (const id of packIds) retire(id);
    },
    reset() {
      store.settings.set(settingKey, {});
      for (const id of [...slots.keys()]) retire(id);
    },
    async close() {
      closed = true;
      for (const slot of slots.values()) close(slot);
      slots.clear();
      await Promise.all([...work, ...closings]);
    },
  };
}

function stopped(): AppError {
  return new AppError('engine-stopped', 'The engine is closing.');
}
