import type { DockerfileAst } from '../dockerfile/ast.js';
import { descriptionOf } from '../dockerfile/description.js';
import type { SourceRange } from '../errors/errors.js';

/** A stage as something that can be asked for. */
export interface BuildTarget {
  /** Lower-case; a stage without one can be built only when it is the last. */
  readonly name?: string | undefined;
  /** Whether it is what a build without a target makes. */
  readonly default: boolean;
  /** From a comment above: `# NAME description`. */
  readonly description?: string | undefined;
  /** What stands behind FROM, variables as they are written. */
  readonly base: string;
  /** `--platform`, as it is written. */
  readonly platform?: string | undefined;
  readonly range: SourceRange;
}

/** The stages of a Dockerfile, in its order; the text alone says what they are. */
export function targetsOf(ast: DockerfileAst): BuildTarget[] {
  const froms = ast.instructions.flatMap(instruction => (instruction.kind === 'FROM' ? [instruction] : []));
  return froms.map(({ stageName, stageNameWritten, image, platform, comments, range }, index) => {
    const description = descriptionOf(comments, stageNameWritten) ?? descriptionOf(comments, stageName);
    return {
      ...(stageName === undefined ? {} : { name: stageName }),
      default: index === froms.length - 1,
      ...(description === undefined ? {} : { description }),
      base: image,
      ...(platform === undefined ? {} : { platform }),
      range,
    };
  });
}
