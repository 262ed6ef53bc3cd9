/** What is empty is `null` or missing in documents that Go has written; both are read alike. */
import * as z from 'zod/mini';

/** `undefined` for what is empty. */
export function orAbsent<S extends z.ZodMiniType>(schema: S) {
  return z.pipe(
    z.nullish(schema),
    z.transform((value: z.output<S> | null | undefined): z.output<S> | undefined => value ?? undefined),
  );
}

/** Items, and none of them for what is empty. */
export function orNone<S extends z.ZodMiniType>(item: S) {
  return z.pipe(
    z.nullish(z.array(item)),
    z.transform((items: Array<z.output<S>> | null | undefined) => items ?? []),
  );
}

/** A text, and an empty one for what is. */
export const orEmptyText = z.pipe(
  z.nullish(z.string()),
  z.transform((text: string | null | undefined) => text ?? ''),
);
