import { type LintExample, type LintRule, lintRules } from './rules.js';

/** The page about the rules, in Markdown. */
export function rulesPage(): string {
  const sections = Object.entries<LintRule>(lintRules).map(([name, rule]) => section(name, rule));
  return `${introduction}\n${sections.join('\n')}`;
}

const introduction = `# Lint rules

A Dockerfile can say things that are allowed and seldom meant. A build warns of them before anything else, also when it
fails later. Names, messages and lines are those of BuildKit.

A comment at the top of the file says what is done about them:

\`\`\`dockerfile
# check=skip=StageNameCasing,JSONArgsRecommended;error=true
\`\`\`

- \`skip=RULE,RULE\` or \`skip=all\`: those rules are not applied.
- \`error=true\`: a finding fails the build.
- \`experimental=RULE,RULE\` or \`experimental=all\`: experimental rules are applied too. \`skip=\` has no effect on them.

The build argument BUILDKIT_DOCKERFILE_CHECK takes the same words and stands for the whole comment. A comment
\`# check=skip=RULE\` right above an instruction holds for that instruction; what comes after a space is free text. Rules
about the file as a whole can be skipped at the top only.

Rules that need more than the text (values of variables, base images) are applied in the stages that are built.
\`lading build --check\` applies all of them to all stages, or to those that \`--target\` needs, builds nothing, and ends with 1
when there is something to say.
`;

function section(name: string, { description, experimental, scope, bad, good }: LintRule): string {
  const notes = [
    ...(experimental ? ['Experimental.'] : []),
    ...(scope === 'file' ? ['Can be skipped at the top of the file only.'] : []),
  ];
  const about = [description, ...notes].join(' ');
  return `## ${name}\n\n${about}\n\nBad:\n\n${example(bad)}\nGood:\n\n${example(good)}`;
}

function example({ dockerfile, dockerignore, platform }: LintExample): string {
  const parts = [
    ...(platform === undefined ? [] : [`With \`--platform ${platform}\` and a base image for linux/amd64:\n`]),
    ...(dockerignore === undefined ? [] : [`With this .dockerignore:\n\n\`\`\`\n${dockerignore}\`\`\`\n`]),
    `\`\`\`dockerfile\n${dockerfile}\`\`\`\n`,
  ];
  return parts.join('\n');
}
