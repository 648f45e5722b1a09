/** The process of one language pack, seen from outside: started with the first request, ended when it is idle. */
import { availableParallelism } from 'node:os';
import { AppError } from '../../../errors.ts';
import type { Log } from '../../log.ts';
import type { LanguagePack } from '../../packs/types.ts';
import { supervise } from '../supervisor.ts';
import type { ImageSpec, SpawnWorker } from '../types.ts';
import type { AdapterOptions, Answered, Written } from './adapter.ts';
import { findImageTower, type PackLookup } from './find-image-tower.ts';
import type { AnswerJob, CaptionJob, LanguageLoad } from './language-messages.ts';
import { createRequestQueue } from './request-queue.ts';
import type { LanguageRequest } from './types.ts';

export interface LanguageWorkerOptions {
  readonly pack: LanguagePack;
  /** Where the pack of its image tower is looked up. */
  readonly packs: PackLookup;
  readonly spawn: SpawnWorker;
  readonly log: Log;
  /** The process is ended after this long without a request. */
  readonly idleMs?: number | undefined;
  /** For operators. */
  readonly threads?: number | undefined;
  /** See AdapterOptions. */
  readonly cache?: boolean | undefined;
}

export interface LanguageWorker {
  /** How pictures must be decoded for it. */
  readonly imageSpec: ImageSpec;
  caption(job: CaptionJob, request: LanguageRequest): Promise<Written>;
  answer(job: AnswerJob, request: LanguageRequest): Promise<Answered>;
  /** Ends the process now. */
  release(): void;
  close(): Promise<void>;
}

const defaultIdleMs = 5 * 60_000;
/** Decoders of these sizes gain nothing beyond this, and other work wants cores too. */
const mostThreads = 4;
/** A model of the largest size on the slowest machine writes its longest text within this. */
const requestTimeoutMs = 15 * 60_000;

/** Checks what can be checked without starting the process. @throws AppError pack-missing, pack-invalid */
export async function openLanguageWorker(options: LanguageWorkerOptions): Promise<LanguageWorker> {
  const { pack } = options;
  const tower = await findImageTower(pack, options.packs);
  const imageSpec = tower?.imageSpec ?? pack.imageSpec;
  if (imageSpec === null) throw new AppError('internal', `"${pack.name}" does not say how it sees pictures.`);
  const { rescale, mean, std } = imageSpec;
  const payload: LanguageLoad = {
    pack,
    options: {
      threads: options.threads ?? Math.min(mostThreads, availableParallelism()),
      imageTower:
        tower === null
          ? null
          : {
              pack: { id: tower.id, name: tower.name, dir: tower.dir },
              file: tower.image.file,
              input: tower.image.input ?? 'pixel_values',
              patchOutput: tower.image.patchOutput ?? 'patch_embeds',
            },
      normalise: { rescale, mean, std },
      cache: options.cache ?? true,
    } satisfies AdapterOptions,
  };
  const supervisor = supervise({
    name: 'language',
    spawn: options.spawn,
    log: options.log,
    setup: { type: 'load', payload },
  });
  let idle: NodeJS.Timeout | undefined;
  const queue = createRequestQueue(() => {
    clearTimeout(idle);
    idle = setTimeout(() => {
      supervisor.stop();
    }, options.idleMs ?? defaultIdleMs);
    // Waiting for nothing is no reason to keep a program from ending.
    idle.unref();
  });

  const ask = <T>(
    type: 'caption' | 'answer',
    job: CaptionJob | AnswerJob,
    request: LanguageRequest,
  ): Promise<T> => {
    const { signal, onText, background = false } = request;
    const asked = queue.run(
      () => {
        clearTimeout(idle);
        return supervisor.request(type, job, {
          timeoutMs: requestTimeoutMs,
          signal,
          // What was under way when the caller gave up is not told any more.
          onProgress: (text) => {
            if (signal?.aborted !== true) onText?.(text as string);
          },
        }) as Promise<T>;
      },
      { background, signal },
    );
    return untilAborted(asked, signal);
  };

  return {
    imageSpec,
    caption: (job, request) => ask<Written>('caption', job, request),
    answer: (job, request) => ask<Answered>('answer', job, request),
    release() {
      clearTimeout(idle);
      supervisor.stop();
    },
    async close() {
      clearTimeout(idle);
      await supervisor.close();
    },
  };
}

/** Rejects as soon as the caller gives up; the queue goes on when the process has noticed, too. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => {
      reject(new AppError('cancelled', 'The request was cancelled.'));
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort);
    });
  });
}
