import type * as z from 'zod/mini';
import english from 'zod/v4/locales/en.js';

export type Match<T> =
  | { readonly value: T; readonly problem?: undefined }
  /** The first place that is wrong, and how. */
  | { readonly problem: string; readonly value?: undefined };

/**
 * Checks a value against a schema. Nothing is compiled for it: that takes longer than most commands, and does not even pay
 * for an index of 50,000 images.
 */
export function matchSchema<T>(value: unknown, schema: z.ZodMiniType<T>): Match<T> {
  const result = schema.safeParse(value, { error: english().localeError, jitless: true });
  if (result.success) return { value: result.data };
  const issue = result.error.issues[0];
  return { problem: issue ? `${issue.path.join('.') || 'document'}: ${issue.message}` : 'does not match its schema' };
}
