import { basename, resolve } from 'node:path';
import { type ArtifactFile, attachArtifact } from '../../src/index.js';
import { defineCommand } from '../command.js';
import { keyValues } from '../key-values.js';
import { locationText } from '../location-text.js';
import { registryOptions } from '../registry-options.js';
import { imagePlace, onePlatform, quietOption } from '../shared-options.js';
import { withPlaces } from '../with-places.js';

export const command = defineCommand({
  positionals: {
    ...imagePlace,
    file: { type: 'string', array: true, describe: 'Files, each as PATH or PATH:MEDIA-TYPE' },
  },
  options: {
    'artifact-type': { type: 'string', demandOption: true, requiresArg: true, describe: 'What the artifact is' },
    annotation: { type: 'string', array: true, requiresArg: true, describe: 'Annotation KEY=VALUE of the artifact' },
    ...onePlatform,
    ...registryOptions,
    ...quietOption,
  },
  examples: [
    {
      line: 'lading artifact attach --artifact-type application/spdx+json ghcr.io/me/app:1 app.spdx.json:application/spdx+json',
      does: 'A list of parts; the image stays as it is',
    },
  ],
  async run(args, context) {
    const { cwd, stdout } = context;
    const files = (args.file ?? []).map(text => artifactFile(text, cwd));
    const annotations = keyValues(args.annotation, { option: '--annotation', bare: () => '' });
    const { digest } = await withPlaces(args, context, options =>
      attachArtifact(locationText(args.image, cwd), {
        ...options,
        platform: args.platform,
        artifactType: args.artifactType,
        files,
        annotations,
      }),
    );
    stdout.write(`${digest}\n`);
  },
});

function artifactFile(text: string, cwd: string): ArtifactFile {
  const match = /^(.+):([\w.+-]+\/[\w.+-]+)$/s.exec(text);
  const path = resolve(cwd, match?.[1] ?? text);
  return { path, name: basename(path), mediaType: match?.[2] };
}
