/** `npm run bench -- NAME [ARGS]`: runs one benchmark; without a name, lists them. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const parts = new Set([
  'run',
  'report',
  'rooms',
  'photos',
  'vectors',
  'library-of-vectors',
  'starter-data',
  'starter-embeddings',
  'tuning-heads',
  'tuning-names',
  'tuning-school',
]);
const names = readdirSync(folder)
  .map((file) => file.replace(/\.ts$/, ''))
  .filter((name) => !parts.has(name));
const name = process.argv[2];
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`Which one? ${names.join(', ')}\n`);
  process.exitCode = 2;
} else {
  process.argv.splice(1, 2, `${folder}${name}.ts`);
  await import(`./${name}.ts`);
}
