/** Process entry: runs one pack that captions or answers, below the priority of everything that a person waits for. */
import { constants, setPriority } from 'node:os';
import { AppError } from '../../errors.ts';
import type { Adapter, Hooks } from './language/adapter.ts';
import { openAdapter } from './language/adapters.ts';
import type { AnswerJob, CaptionJob, LanguageLoad } from './language/language-messages.ts';
import { openProcessPort } from './process-port.ts';
import { serveRequests, type RequestContext } from './worker-messages.ts';

let loading: Promise<Adapter> | undefined;

async function loaded(): Promise<Adapter> {
  if (loading === undefined)
    throw new AppError('internal', 'The language process was asked before its model.');
  return loading;
}

function hooks({ progress, signal }: RequestContext): Hooks {
  return { onText: progress, shouldStop: () => signal.aborted };
}

serveRequests(openProcessPort(), {
  load: async ({ pack, options }: LanguageLoad) => {
    // Typing a search goes first. Threads that are started later inherit it on Linux.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
    loading = openAdapter(pack, options);
    await loading;
  },
  ready: () => Promise.resolve(),
  caption: async ({ picture, prompt }: CaptionJob, context) => {
    const adapter = await loaded();
    if (adapter.caption === undefined)
      throw new AppError('not-supported', 'This model pack does not caption.');
    return adapter.caption(picture, prompt, hooks(context));
  },
  answer: async ({ picture, question, turns }: AnswerJob, context) => {
    const adapter = await loaded();
    if (adapter.answer === undefined) throw new AppError('not-supported', 'This model pack does not answer.');
    return adapter.answer(picture, question, turns, hooks(context));
  },
});
