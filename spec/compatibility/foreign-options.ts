import type { UnsupportedOption } from '../../cli/command.js';
import { unsupportedBuildOptions } from '../../cli/commands/build-unsupported.js';

/** An option of other builders, and which of its values are refused, and which ask for what happens anyway. */
export interface ForeignOption extends UnsupportedOption {
  readonly name: string;
  readonly refused: readonly string[];
  readonly taken: readonly string[];
}

/** What scripts have behind options with a value; `x` stands for all the rest. */
const values = ['x', '0', 'false', 'default', 'disabled=true'];

export const foreignOptions: readonly ForeignOption[] = Object.entries(unsupportedBuildOptions).map(
  ([name, option]) => {
    const tried = option.value ? values : ['true', 'false'];
    const taken = tried.filter(value => option.accepts?.(value));
    return { ...option, name, taken, refused: tried.filter(value => !taken.includes(value)) };
  },
);
