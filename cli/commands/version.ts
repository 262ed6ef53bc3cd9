import { defineCommand } from '../command.js';
import { formatJson } from '../render/json.js';
import { jsonOption } from '../shared-options.js';
import { version } from '../version.js';

export const command = defineCommand({
  options: jsonOption,
  examples: [{ line: 'lading version --json', does: 'The same for programs' }],
  async run({ json }, { stdout, runtime, arch }) {
    if (json) stdout.write(formatJson({ version, node: runtime.node, platform: `${runtime.system}/${arch}` }));
    else stdout.write(`lading ${version} (Node.js ${runtime.node}, ${runtime.system}/${arch})\n`);
  },
});
