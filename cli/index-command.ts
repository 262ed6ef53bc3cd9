import type { Options, PositionalOptions } from 'yargs';
import type { CliContext } from './context.js';
import { keyValues } from './key-values.js';
import { locationText } from './location-text.js';
import { registryOptions } from './registry-options.js';
import { quietOption } from './shared-options.js';

/** What the commands have in common that make an index. */
export const indexPositionals = {
  name: { type: 'string', demandOption: true, describe: 'Name of the index: in a registry, store:NAME, oci:DIR:TAG' },
  source: { type: 'string', array: true, demandOption: true, describe: 'Images, or indexes whose images are meant' },
} as const satisfies Readonly<Record<string, PositionalOptions>>;

export const indexOptions = {
  annotation: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'Annotation KEY=VALUE of the index',
  },
  ...registryOptions,
  ...quietOption,
} as const satisfies Readonly<Record<string, Options>>;

export function indexAnnotations({
  annotation,
}: {
  readonly annotation?: readonly string[] | undefined;
}): Record<string, string> | undefined {
  return annotation && keyValues(annotation, { option: '--annotation', bare: () => '' });
}

/** Locations with their relative paths taken from where the command was started. */
export function placeTexts(texts: readonly string[], { cwd }: Pick<CliContext, 'cwd'>): string[] {
  return texts.map(text => locationText(text, cwd));
}
