/** One head as one file, to be carried to another library: header, parameters, checksum; and back, distrustfully. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { tuneRun } from '../contract-tuning.ts';
import { AppError } from '../errors.ts';
import { headHash } from './store/head-hash.ts';
import type { HeadRow, RunRecord, RunRow } from './store/types.ts';

/*
 * Layout, little-endian: 16 bytes of magic, uint32 version, uint32 length of the header, the header (JSON, UTF-8),
 * zeros up to the next multiple of four, float32 parameters in the header's order, SHA-256 of all that.
 */
const magic = Buffer.from('AFTERIMAGE-HEAD\n', 'latin1');
const version = 1;
const prefixBytes = magic.length + 8;
const hashBytes = 32;
export const headFileExtension = '.afterimage-head';
/** The largest head that is trained here, 1,024 dimensions with two layers, has 8 MiB. */
export const mostHeadFileBytes = 64 * 2 ** 20;
const mostHeaderBytes = 2 ** 20;

/** The run without its id, which is another in every library. */
const record = tuneRun.omit({ id: true });
const header = z.object({
  fingerprint: z.string().min(1).max(512),
  parameters: z
    .array(
      z.object({
        name: z.string().min(1).max(64),
        shape: z
          .array(
            z
              .int()
              .min(1)
              .max(2 ** 24),
          )
          .max(4),
      }),
    )
    .max(64),
  run: record,
});

export interface HeadFile {
  readonly fingerprint: string;
  readonly run: RunRecord;
  readonly head: Omit<HeadRow, 'runId'>;
}

export function encodeHeadFile(row: RunRow, head: HeadRow): Uint8Array {
  const parameters = Object.entries(head.parameters);
  const json = Buffer.from(
    JSON.stringify({
      fingerprint: row.fingerprint,
      parameters: parameters.map(([name, { shape }]) => ({ name, shape })),
      run: record.parse(row),
    }),
  );
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(version, 0);
  prefix.writeUInt32LE(json.length, 4);
  const body = Buffer.concat([
    magic,
    prefix,
    json,
    Buffer.alloc(padding(prefixBytes + json.length)),
    ...parameters.map(([, { values }]) => floats(values)),
  ]);
  return Buffer.concat([body, createHash('sha256').update(body).digest()]);
}

/**
 * @param name the file's, for messages.
 * @throws AppError input-invalid: no such file, a newer version's, damaged, numbers that are none
 */
export function decodeHeadFile(bytes: Uint8Array, name: string): HeadFile {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.length < prefixBytes + hashBytes || !file.subarray(0, magic.length).equals(magic))
    throw unusable(name, 'is not a head that Afterimage wrote. Choose a file that ends in .afterimage-head');
  const written = file.readUInt32LE(magic.length);
  if (written > version)
    throw unusable(
      name,
      'was written by a newer version of Afterimage. Update this one, then import it again',
    );
  const body = file.subarray(0, -hashBytes);
  if (written < 1 || !createHash('sha256').update(body).digest().equals(file.subarray(-hashBytes)))
    throw damaged(name);
  const length = file.readUInt32LE(magic.length + 4);
  const end = prefixBytes + length;
  if (length > mostHeaderBytes || end > body.length) throw damaged(name);
  const { fingerprint, run, parameters } = parseHeader(body.subarray(prefixBytes, end), name);
  const values = body.subarray(end + padding(end));
  const total = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (values.length !== total * 4) throw damaged(name);
  const head = { head: run.settings.head, dims: run.dims, parameters: split(values, parameters) };
  for (const [parameter, { values: numbers }] of Object.entries(head.parameters))
    if (!numbers.every(Number.isFinite))
      throw unusable(name, `has values in its ${parameter} that are no finite numbers. Export it again`);
  return { fingerprint, run, head: { ...head, fingerprint, hash: headHash(head) } };
}

type Header = z.output<typeof header>;

function parseHeader(bytes: Buffer, name: string): Header {
  try {
    return header.parse(JSON.parse(bytes.toString('utf8')));
  } catch (thrown) {
    throw damaged(name, thrown);
  }
}

function split(bytes: Buffer, parameters: Header['parameters']): HeadRow['parameters'] {
  let at = 0;
  return Object.fromEntries(
    parameters.map(({ name, shape }) => {
      const values = new Float32Array(sizeOf(shape));
      at += bytes.copy(floats(values), 0, at, at + values.byteLength);
      return [name, { shape, values }];
    }),
  );
}

function floats(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

function padding(length: number): number {
  return (4 - (length % 4)) % 4;
}

function damaged(name: string, cause?: unknown): AppError {
  return unusable(name, 'is damaged or cut short. Export it again', cause);
}

function unusable(name: string, why: string, cause?: unknown): AppError {
  return new AppError('input-invalid', `${name} ${why}.`, { cause, details: { name } });
}
