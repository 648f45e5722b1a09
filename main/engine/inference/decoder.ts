/** Decodes photos in processes of their own: what crashes or hangs a decoder costs one photo, not the app. */
import { availableParallelism } from 'node:os';
import { AppError } from '../../errors.ts';
import type { Log } from '../log.ts';
import { defaultMaxPixels, defaultTimeoutMs, sourceName, timedOut, type DecodeJob } from './decode-job.ts';
import { supervise, type Supervisor } from './supervisor.ts';
import type { DecodedPhoto, Decoder, SpawnWorker } from './types.ts';

export interface DecoderOptions {
  readonly spawn: SpawnWorker;
  readonly log: Log;
  /** Decodes at once; the number of cores by default. */
  readonly concurrency?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly maxPixels?: number | undefined;
}

/** libuv's pool has four threads, so a process decodes four photos at once and no more. */
const photosPerProcess = 4;
/** How much longer than its own time limit a process may take to answer before it is ended. */
const graceMs = 5_000;

interface Task {
  readonly job: DecodeJob;
  readonly name: string;
  readonly resolve: (photo: DecodedPhoto) => void;
  readonly reject: (error: AppError) => void;
  settled: boolean;
  /** Times that a process ended under this task. */
  deaths: number;
}

interface Seat {
  readonly supervisor: Supervisor;
  busy: number;
  /** A suspect is decoded with nobody beside it, so that a second death tells whose fault it is. */
  alone: boolean;
}

/**
 * A photo that was in flight when its process died is tried again by itself; only when it dies again does
 * `decode` reject with worker-died, so that blame falls on the photo that earned it.
 */
export function createDecoder(options: DecoderOptions): Decoder {
  const concurrency = Math.max(1, options.concurrency ?? availableParallelism());
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  const maxPixels = options.maxPixels ?? defaultMaxPixels;
  const seats: Seat[] = Array.from({ length: Math.ceil(concurrency / photosPerProcess) }, () => ({
    supervisor: supervise({ name: 'decoder', spawn: options.spawn, log: options.log }),
    busy: 0,
    alone: false,
  }));
  const perSeat = Math.ceil(concurrency / seats.length);
  const queue: Task[] = [];
  const suspects: Task[] = [];
  let closed = false;

  const run = async (seat: Seat, task: Task, alone: boolean): Promise<void> => {
    seat.busy++;
    seat.alone = alone;
    try {
      const photo = await seat.supervisor.request('decode', task.job, {
        timeoutMs: timeoutMs + graceMs,
        onTimeout: () => timedOut(task.name, timeoutMs),
      });
      task.resolve(photo as DecodedPhoto);
    } catch (thrown) {
      const error = AppError.from(thrown, `Decoding "${task.name}"`);
      if (error.code !== 'worker-died' || closed) task.reject(error);
      else if (error.details?.['culprit'] === 'other' && task.deaths < 2) {
        task.deaths++;
        queue.unshift(task);
      } else if (!alone && error.details?.['inFlight'] !== 1) {
        task.deaths++;
        suspects.push(task);
      } else {
        task.reject(
          new AppError(
            'worker-died',
            `"${task.name}" ended the decoder process. It is left out if that happens again; save it again in another program.`,
            { cause: error, details: { worker: 'decoder', name: task.name } },
          ),
        );
      }
    } finally {
      seat.busy--;
      seat.alone = false;
      fill();
    }
  };

  const fill = (): void => {
    for (let moved = true; moved;) {
      moved = false;
      for (const seat of [...seats].sort((a, b) => a.busy - b.busy)) {
        if (seat.alone || seat.busy >= perSeat) continue;
        const suspect = seat.busy === 0 ? next(suspects) : undefined;
        // The first seat lets its photos drain while a suspect waits, so that the suspect's turn comes.
        const draining = suspect === undefined && suspects.length > 0 && seat === seats[0];
        const task = suspect ?? (draining ? undefined : next(queue));
        if (task === undefined) continue;
        void run(seat, task, suspect !== undefined);
        moved = true;
        break;
      }
    }
  };

  return {
    concurrency,
    decode(source, { spec, thumbnail, signal }) {
      return new Promise<DecodedPhoto>((resolve, reject) => {
        const name = sourceName(source);
        const cancel = (): void => {
          task.settled = true;
          reject(new AppError('cancelled', `Decoding "${name}" was cancelled.`));
        };
        const settle =
          <T>(done: (value: T) => void) =>
          (value: T): void => {
            if (task.settled) return;
            task.settled = true;
            signal?.removeEventListener('abort', cancel);
            done(value);
          };
        const task: Task = {
          job: { source, spec, thumbnail, maxPixels, timeoutMs },
          name,
          resolve: settle(resolve),
          reject: settle(reject),
          settled: false,
          deaths: 0,
        };
        if (closed) {
          task.reject(new AppError('engine-stopped', `Decoding "${name}" failed: the decoder is closed.`));
          return;
        }
        if (signal?.aborted === true) {
          cancel();
          return;
        }
        signal?.addEventListener('abort', cancel, { once: true });
        queue.push(task);
        fill();
      });
    },
    async close() {
      closed = true;
      for (const task of [...queue.splice(0), ...suspects.splice(0)]) {
        task.reject(
          new AppError('engine-stopped', `Decoding "${task.name}" was given up: the decoder is closing.`),
        );
      }
      await Promise.all(seats.map((seat) => seat.supervisor.close()));
    },
  };
}

/** The next task that nobody has cancelled. */
function next(tasks: Task[]): Task | undefined {
  for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
    if (!task.settled) return task;
  }
  return undefined;
}
