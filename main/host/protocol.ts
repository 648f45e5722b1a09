/** The messages between a client and the engine's host, parsed on both sides. */
import { z } from 'zod';
import { errorShape } from '../contract.ts';

const requestId = z.int().nonnegative();

/** Client to host. */
export const toHost = z.discriminatedUnion('type', [
  z.object({ type: z.literal('call'), id: requestId, name: z.string(), input: z.unknown() }),
  /** A call of the shell's own (grants, files), which no renderer can make. */
  z.object({ type: z.literal('service'), id: requestId, name: z.string(), argument: z.unknown() }),
  z.object({ type: z.literal('cancel'), id: requestId }),
  z.object({ type: z.literal('close') }),
]);

/** Host to client. */
export const toClient = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** The engine could not be opened at all. */
  z.object({ type: z.literal('failed'), error: errorShape }),
  z.object({ type: z.literal('result'), id: requestId, output: z.unknown() }),
  z.object({ type: z.literal('error'), id: requestId, error: errorShape }),
  z.object({ type: z.literal('progress'), id: requestId, progress: z.unknown() }),
  z.object({ type: z.literal('event'), name: z.string(), payload: z.unknown() }),
  z.object({ type: z.literal('closed') }),
]);

export type ToHost = z.output<typeof toHost>;
export type ToClient = z.output<typeof toClient>;
