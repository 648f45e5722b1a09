/** Process entry: trains heads and applies them, below the priority of everything that a person waits for. */
import { constants, setPriority } from 'node:os';
import { openProcessPort } from '../inference/process-port.ts';
import { serveRequests } from '../inference/worker-messages.ts';
import { runLab } from './lab/lab-run.ts';
import { learn } from './learn.ts';
import { createProjector } from './projection.ts';
import type { LabEvent, LabJob, LearningEvent, LearnJob, ProjectJob } from './tune-messages.ts';

// Typing a search goes first. Threads that are started later inherit it on Linux.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
let projector: ReturnType<typeof createProjector> | undefined;

serveRequests(openProcessPort(), {
  learn: ({ task }: LearnJob, { signal, progress }) => {
    const tell = (event: LearningEvent): void => {
      progress(event);
    };
    return learn(task, {
      signal,
      onEpoch: (epoch) => {
        tell({ epoch });
      },
      onProving: () => {
        tell({ proving: true });
      },
    });
  },
  lab: ({ task }: LabJob, { signal, progress }) =>
    runLab(task, {
      signal,
      now: () => performance.now(),
      onProgress: (event: LabEvent) => {
        progress(event);
      },
    }),
  project: ({ head, rows, threads }: ProjectJob) => {
    projector ??= createProjector(threads);
    return projector.project(head, rows);
  },
});
