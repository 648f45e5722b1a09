/** The engine's events on their way to every listener; frequent ones are thinned out here, once. */
import type { EventName, EventPayload } from '../contract.ts';
import type { Timers } from './library/types.ts';
import type { Log } from './log.ts';

export interface EventBus {
  emit<K extends EventName>(name: K, payload: EventPayload<K>): void;
  /** As emit, but at most once in `everyMs`; the last payload is always delivered. */
  emitThinned<K extends EventName>(name: K, everyMs: number, payload: () => EventPayload<K>): void;
  onAny(listener: (name: EventName, payload: unknown) => void): () => void;
  close(): void;
}

export function createEventBus(timers: Timers, log: Log): EventBus {
  const listeners = new Set<(name: EventName, payload: unknown) => void>();
  /** Per thinned event: what to send when the pause is over, and how to cancel the pause. */
  const pauses = new Map<EventName, { next: (() => unknown) | undefined; cancel: () => void }>();
  const send = (name: EventName, payload: unknown): void => {
    for (const listener of listeners) {
      try {
        listener(name, payload);
      } catch (thrown) {
        // One listener's fault is not the others', nor the run's that emitted.
        log.error('a listener failed', { event: name, message: String(thrown) });
      }
    }
  };
  const pause = (name: EventName, everyMs: number): void => {
    const cancel = timers.after(everyMs, () => {
      const next = pauses.get(name)?.next;
      pauses.delete(name);
      if (next === undefined) return;
      pause(name, everyMs);
      send(name, next());
    });
    pauses.set(name, { next: undefined, cancel });
  };
  return {
    emit: send,
    emitThinned(name, everyMs, payload) {
      const waiting = pauses.get(name);
      if (waiting !== undefined) {
        waiting.next = payload;
        return;
      }
      pause(name, everyMs);
      send(name, payload());
    },
    onAny(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      for (const { cancel } of pauses.values()) cancel();
      pauses.clear();
      listeners.clear();
    },
  };
}
