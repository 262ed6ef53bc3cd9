import { onTestFinished } from 'vitest';
import { parseReference } from '../../../src/oci/reference.js';
import { RegistryServer, type RegistryServerOptions } from '../../../src/testing/registry-server.js';
import { HostGates } from '../../../src/transport/http/host-gates.js';
import type { Timing } from '../../../src/transport/http/timing.js';
import { openRegistry, type RegistryEndpoint, type RegistryOptions } from '../../../src/transport/registry/client.js';

/** A registry for one test, which fails when the client does there what it must not do. */
export async function startRegistry(options?: RegistryServerOptions): Promise<RegistryServer> {
  const server = await RegistryServer.start(options);
  onTestFinished(() => server.stop());
  return server;
}

/** A client of the registry, closed with the test. */
export function connect(
  server: { readonly host: string },
  name = 'app/one:1',
  options: Partial<RegistryOptions> = {},
): RegistryEndpoint {
  const endpoint = openRegistry({
    reference: parseReference(`${server.host}/${name}`),
    access: 'push',
    timing: hasty(),
    gates: new HostGates(),
    ...options,
  });
  onTestFinished(() => endpoint.close());
  return endpoint;
}

/** A clock on which every wait is over at once; what was waited for is in `waits`, in milliseconds. */
export function hasty(): Timing & { readonly waits: number[] } {
  const waits: number[] = [];
  let waited = 0;
  return {
    waits,
    now: () => performance.now() + waited,
    random: () => 0,
    wait: async (ms, signal) => {
      signal?.throwIfAborted();
      waits.push(ms);
      waited += ms;
      await new Promise(resolve => setImmediate(resolve));
    },
  };
}

/** The code of the error that `work` fails with, or `undefined` when it does not fail. */
export async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
