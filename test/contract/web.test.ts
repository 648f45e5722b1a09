/** The contract over the web shell: loopback HTTP and server-sent events, with a real engine behind. */
import { contractSuite } from './suite.ts';
import { openWebShell } from './web-client.ts';

contractSuite('loopback HTTP', ({ directory, modelsDirectory }) =>
  openWebShell({ directory, modelsDirectory, watch: false }),
);
