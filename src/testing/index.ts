/**
 * `lading/testing`: a registry in the process of a test. It speaks the distribution API over real sockets on this machine,
 * keeps everything in memory, and lets anything go wrong that goes wrong with registries. It knows nothing of lading and
 * imports nothing but Node, so that any client can be tried with it.
 */
export type { RegistryAuth } from './registry-accounts.js';
export type { RegistryHabits } from './registry-api.js';
export type { StoredManifest } from './registry-content.js';
export type { RecordedRequest } from './registry-exchange.js';
export type { Chaos, Fault, FaultRule } from './registry-faults.js';
export type { RegistryListsOptions } from './registry-lists.js';
export { RegistryServer, type RegistryServerOptions } from './registry-server.js';
