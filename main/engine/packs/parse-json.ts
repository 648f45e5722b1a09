/** Parses the JSON files of packs, and says in words what is wrong with one. */
import type { z } from 'zod';
import { AppError } from '../../errors.ts';

/**
 * @param about names the file, e.g. `pack.json of "starter"`.
 * @throws AppError pack-invalid
 */
export function parseJson<T extends z.ZodType>(schema: T, content: string, about: string): z.output<T> {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (thrown) {
    throw new AppError('pack-invalid', `The ${about} is not JSON. Install the pack again.`, {
      cause: thrown,
    });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined ? '' : ` (${issue.path.join('.')}: ${issue.message})`;
  throw new AppError('pack-invalid', `The ${about} is malformed${where}. Install the pack again.`, {
    cause: parsed.error,
  });
}
