/** A worker entry for tests: echoes, fails, dies and hangs when it is asked to. */
import { AppError } from '../../../main/errors.ts';
import { openProcessPort } from '../../../main/engine/inference/process-port.ts';
import { serveRequests } from '../../../main/engine/inference/worker-messages.ts';

let loaded = 'nothing';

serveRequests(openProcessPort(), {
  load: (what: string) => {
    if (what === 'broken') throw new AppError('pack-invalid', 'The model cannot be loaded.');
    loaded = what;
    return Promise.resolve();
  },
  echo: (value: unknown) => Promise.resolve({ value, loaded, pid: process.pid }),
  fail: () => Promise.reject(new AppError('image-broken', 'It is damaged.', { details: { name: 'a.jpg' } })),
  die: () => {
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  },
  leave: () => process.exit(3),
  hang: () => new Promise(() => undefined),
  secrets: () => Promise.resolve(process.env['AFTERIMAGE_SECRET'] ?? 'none'),
});
