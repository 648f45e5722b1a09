/** Wires the rooms into one engine. */
import { AppError } from '../errors.ts';
import type { Engine, EngineOptions } from './types.ts';

export async function createEngine(options: EngineOptions): Promise<Engine> {
  await Promise.resolve();
  throw new AppError('internal', `Being built: ${options.directory}`);
}
