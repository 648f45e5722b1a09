/** Gives a forked Node process the parent port that Electron gives its utility processes. */
import { EventEmitter } from 'node:events';

const port = Object.assign(new EventEmitter(), {
  postMessage: (message: unknown) => void process.send?.(message, undefined, undefined, () => undefined),
});
process.on('message', (data) => port.emit('message', { data, ports: [] }));
// A utility process ends with its parent.
process.on('disconnect', () => process.exit(0));
Object.defineProperty(process, 'parentPort', { value: port });
