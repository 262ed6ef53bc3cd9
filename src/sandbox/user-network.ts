import { type ProcessNetwork, type RunRequest, runUnavailable } from './sandbox.js';

/** Where a process in such a network finds what resolves names, whichever program made it. */
export const userNameServer = '10.0.2.3';

/** Whether a process is to have a network of its own that reaches outside. */
export function isUserNetwork(network: ProcessNetwork): network is 'bridge' | 'pasta' | 'slirp4netns' {
  return network === 'bridge' || network === 'pasta' || network === 'slirp4netns';
}

/** For ways of running that share the network of this machine. @throws LadingError RUN_UNAVAILABLE */
export function refuseUserNetwork({ network }: Pick<RunRequest, 'network'>, tier: string): void {
  if (!isUserNetwork(network)) return;
  throw runUnavailable(
    `with ${tier} a process cannot have a network of its own that reaches outside, nor publish ports`,
    {
      hint: 'It takes namespaces: lading doctor says what is in their way. Without --network and --publish a process has the network of this machine.',
    },
  );
}
