/** Work that the engine does on its own account: its failures are told by notice, and closing waits for it. */
import type { EventPayload } from '../contract.ts';
import { AppError } from '../errors.ts';

export interface Background {
  run(about: string, work: () => Promise<unknown>): void;
  settled(): Promise<void>;
}

export function createBackground(notice: (notice: EventPayload<'notice'>) => void): Background {
  const running = new Set<Promise<unknown>>();
  return {
    run(about, work) {
      const mine = work()
        .catch((thrown: unknown) => {
          const error = AppError.from(thrown, about);
          if (error.code === 'cancelled' || error.code === 'engine-stopped') return;
          notice({ ...error.toShape(), level: 'error', key: 'background' });
        })
        .finally(() => running.delete(mine));
      running.add(mine);
    },
    async settled() {
      await Promise.allSettled(running);
    },
  };
}
