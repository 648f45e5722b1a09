/** Heads as they lie in the library: all parameters in one blob beside their names and shapes. */
import type { Database } from 'better-sqlite3';
import { z } from 'zod';
import { headName } from '../../contract-tuning.ts';
import { AppError } from '../../errors.ts';
import { floatBytes, headHash, inOrder } from './head-hash.ts';
import type { HeadRow, RunTable } from './learning-types.ts';
import { damaged } from './sqlite-errors.ts';

interface RawHead {
  readonly head: string;
  readonly fingerprint: string;
  readonly dims: number;
  readonly hash: string;
  readonly parameters: string;
  readonly bytes: Buffer;
}
const shapes = z.array(z.tuple([z.string(), z.array(z.int().nonnegative())]));

/** @param path the library's, for messages. */
export function createHeadRows(db: Database, path: string): Pick<RunTable, 'setHead' | 'head'> {
  const put = db.prepare(
    `INSERT INTO heads (run_id, head, fingerprint, dims, hash, parameters, bytes)
     SELECT @runId, @head, @fingerprint, @dims, @hash, @parameters, @bytes FROM runs WHERE id = @runId
     ON CONFLICT (run_id) DO UPDATE SET head = excluded.head, fingerprint = excluded.fingerprint,
       dims = excluded.dims, hash = excluded.hash, parameters = excluded.parameters, bytes = excluded.bytes`,
  );
  const get = db.prepare<[number], RawHead>(
    'SELECT head, fingerprint, dims, hash, parameters, bytes FROM heads WHERE run_id = ?',
  );
  return {
    setHead(row) {
      checkHead(row);
      const { runId, head, fingerprint, dims, hash } = row;
      const parameters = inOrder(row.parameters);
      const { changes } = put.run({
        runId,
        head,
        fingerprint,
        dims,
        hash,
        parameters: JSON.stringify(parameters.map(([name, { shape }]) => [name, shape])),
        bytes: Buffer.concat(parameters.map(([, { values }]) => floatBytes(values))),
      });
      if (changes === 0)
        throw new AppError('not-found', `The library knows no run ${runId}.`, { details: { runId } });
    },
    head(runId) {
      const raw = get.get(runId);
      return raw === undefined ? undefined : toHead(runId, raw, path);
    },
  };
}

/** A head that was damaged on its way, or diverged, must not get at anybody's vectors. */
function checkHead(row: HeadRow): void {
  for (const [name, { shape, values }] of Object.entries(row.parameters)) {
    if (values.length !== sizeOf(shape))
      throw new AppError(
        'input-invalid',
        `The head's ${name} has ${values.length} values, but its shape is ${shape.join(' x ')}. It cannot be used.`,
      );
    if (!values.every(Number.isFinite))
      throw new AppError(
        'input-invalid',
        `The head's ${name} has values that are no finite numbers, so it cannot be used. Train it again, with a lower learning rate.`,
      );
  }
  if (row.hash !== headHash(row))
    throw new AppError('input-invalid', 'The head is not the one that its hash was made of. Get it again.');
}

function toHead(runId: number, raw: RawHead, path: string): HeadRow {
  const unfit = (cause?: unknown): AppError => damaged(path, `the head of run ${runId} is torn`, cause);
  let named: z.output<typeof shapes>;
  let head: HeadRow['head'];
  try {
    named = shapes.parse(JSON.parse(raw.parameters));
    head = headName.parse(raw.head);
  } catch (thrown) {
    throw unfit(thrown);
  }
  const total = named.reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  if (raw.bytes.length !== total * 4) throw unfit();
  let at = 0;
  const parameters = Object.fromEntries(
    named.map(([name, shape]) => {
      const values = new Float32Array(sizeOf(shape));
      at += raw.bytes.copy(floatBytes(values), 0, at, at + values.byteLength);
      return [name, { shape, values }];
    }),
  );
  const { fingerprint, dims, hash } = raw;
  if (headHash({ head, dims, parameters }) !== hash) throw unfit();
  return { runId, head, fingerprint, dims, hash, parameters };
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
