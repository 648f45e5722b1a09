/** POST /api/call/NAME: one call of the contract over HTTP, with its progress as lines when they are asked for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../../errors.ts';
import type { Dispatch } from '../dispatch.ts';
import { commonHeaders, errorReply, jsonReply, type Reply } from '../reply.ts';
import { wrongMethod } from '../renderer-files.ts';

/** A dropped picture of 48 MiB is 64 MiB of base64; the rest is room for JSON. */
const mostBytes = 70 * 2 ** 20;

const streamType = 'application/x-ndjson';

/** @returns null when the answer has been streamed already. */
export async function answerCall(
  dispatch: Dispatch,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Reply | null> {
  if (request.method !== 'POST') return wrongMethod('POST');
  const about = isPlainName(name) ? name : 'The call';
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  try {
    const input = await readJson(request);
    if (request.headers.accept === streamType) {
      await streamCall(dispatch, name, input, response, gone.signal);
      return null;
    }
    return jsonReply(200, { output: await dispatch(name, input, { signal: gone.signal }) });
  } catch (error) {
    return errorReply(error, about, error instanceof TooLarge ? 413 : undefined);
  }
}

async function streamCall(
  dispatch: Dispatch,
  name: string,
  input: unknown,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const writeLine = (value: unknown): void => void response.write(`${JSON.stringify(value)}\n`);
  response.writeHead(200, { ...commonHeaders, 'Content-Type': streamType, 'Cache-Control': 'no-store' });
  response.flushHeaders();
  try {
    const output = await dispatch(name, input, {
      signal,
      // A client that reads slowly misses some progress, never the end.
      onProgress: (progress) => {
        if (!response.writableNeedDrain) writeLine({ progress });
      },
    });
    writeLine({ output });
  } catch (error) {
    writeLine({ error: AppError.from(error, isPlainName(name) ? name : 'The call').toShape() });
  }
  response.end();
}

class TooLarge extends AppError {}

async function readJson(request: IncomingMessage): Promise<unknown> {
  // A form of another site can post text or multipart unasked, but not this type.
  if (!/^application\/json(;|$)/.test(request.headers['content-type'] ?? ''))
    throw new AppError('input-invalid', 'A call needs Content-Type: application/json.');
  const tooLarge = (): TooLarge =>
    new TooLarge(
      'input-invalid',
      `A call may carry ${mostBytes / 2 ** 20} MiB at most. Use a smaller picture.`,
    );
  if (Number(request.headers['content-length'] ?? 0) > mostBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.byteLength;
    if (length > mostBytes) throw tooLarge();
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (error) {
    throw new AppError('input-invalid', 'The body of the call is not JSON.', { cause: error });
  }
}

function isPlainName(name: string): boolean {
  return /^[a-zA-Z.]{1,64}$/.test(name);
}
