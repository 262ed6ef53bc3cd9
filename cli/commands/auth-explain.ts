import { type CredentialExplanation, explainLogin, type PlaceReport } from '../../src/index.js';
import { defineCommand } from '../command.js';
import type { CliContext } from '../context.js';
import { exitCode } from '../exit-code.js';
import { familiarPath } from '../familiar-path.js';
import { registryAccess, registryOptions } from '../registry-options.js';
import { formatJson } from '../render/json.js';
import { printableLine } from '../render/printable.js';
import { formatTable } from '../render/table.js';
import { jsonOption } from '../shared-options.js';

export const command = defineCommand({
  positionals: { image: { type: 'string', demandOption: true, describe: 'Name of the image' } },
  options: {
    authfile: registryOptions.authfile,
    'registry-config': registryOptions['registry-config'],
    ...jsonOption,
  },
  examples: [
    { line: 'lading auth explain ghcr.io/team/app', does: 'All places in their order; no secret is shown' },
    { line: 'lading auth explain --json debian', does: 'The same for programs' },
  ],
  async run(args, context) {
    const registry = registryAccess(args, context, () => {});
    const found = await explainLogin(args.image, { registry, signal: context.signal });
    context.stdout.write(args.json ? formatJson(found) : render(found, context));
    return found.places.some(({ result }) => result === 'failed') ? exitCode.failed : exitCode.done;
  },
});

const kinds = { password: 'a password', identity: 'a refresh token', bearer: 'a bearer token' } as const;

function render({ registry, repository, credential, places }: CredentialExplanation, context: CliContext): string {
  const owner = credential?.username === undefined ? '' : ` of ${credential.username}`;
  const sent = credential === undefined ? 'nothing: access is anonymous' : `${kinds[credential.kind]}${owner}`;
  const rows = places.map(place => [familiarPath(place.place, context), place.result.replace('-', ' '), said(place)]);
  const head = printableLine(`${registry}/${repository ?? ''}: ${sent}`);
  return `${head}\n\n${formatTable([{ title: 'PLACE' }, { title: 'RESULT' }, { title: 'WHY' }], rows)}`;
}

function said({ entry, reason }: PlaceReport): string {
  return [entry, reason].filter(text => text !== undefined).join(': ');
}
