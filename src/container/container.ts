/**
 * Containers: an image, a process to run in it, and what that has changed. What was changed is kept as a layer of the
 * store, like any other, so a container is an image in the making: it costs nothing while it does not run, works with
 * every sandbox, and a process that is killed leaves nothing half done.
 */
import * as z from 'zod/mini';
import { type ImageConfig, imageConfigSchema } from '../oci/config.js';
import { descriptorSchema, digestSchema } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { type ProcessNetwork, type PublishedPort, processNetworks } from '../sandbox/sandbox.js';
import type { LayerRef } from '../tree/node.js';
import type { PublishRequest } from './publish.js';

/** A folder or file of this machine that the process sees. */
export interface ContainerVolume {
  /** Absolute, on this machine. */
  readonly source: string;
  /** Absolute, in the container. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** How the process is run. */
export interface ContainerProcess {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  /** `user[:group]`, by name or number; empty is root. */
  readonly user: string;
  readonly hostname: string;
  readonly network: ProcessNetwork;
  /** Ports that are to be published each time that it runs. */
  readonly publish: readonly PublishRequest[];
  readonly extraHosts: ReadonlyArray<{ readonly host: string; readonly address: string }>;
  readonly volumes: readonly ContainerVolume[];
  /** Empty file systems. */
  readonly tmpfs: ReadonlyArray<{ readonly target: string; readonly sizeBytes?: number | undefined }>;
  readonly shmSizeBytes?: number | undefined;
  readonly limits: ReadonlyArray<{ readonly name: string; readonly soft: number; readonly hard: number }>;
  readonly readOnly: boolean;
  readonly privileged: boolean;
}

export type ContainerStatus = 'created' | 'running' | 'exited';

export interface ContainerFailure {
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface Container {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly name: string;
  readonly image: { readonly name: string; readonly digest: Digest };
  /** Of the image. */
  readonly config: ImageConfig;
  /** Those of the image, then what processes have changed. */
  readonly layers: readonly LayerRef[];
  readonly imageLayers: number;
  readonly process: ContainerProcess;
  readonly status: ContainerStatus;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly startedMs?: number | undefined;
  readonly finishedMs?: number | undefined;
  readonly exitCode?: number | undefined;
  /**
   * Who runs it: the line of a process identity. Of a container that does not run, it is somebody who was killed: what the
   * process had changed is still to be kept.
   */
  readonly runner?: string | undefined;
  /** What the process has changed is in the layers already. */
  readonly kept?: boolean | undefined;
  /** What all of its processes end with, since it has begun: the line of a process identity. */
  readonly keeper?: string | undefined;
  /** Those that are published while it runs. */
  readonly ports?: readonly PublishedPort[] | undefined;
  /** Why it could not be run. */
  readonly failure?: ContainerFailure | undefined;
}

const layerSchema = z.object({ diffId: digestSchema, blob: descriptorSchema });
const protocolSchema = z.enum(['tcp', 'udp']);
const publishSchema = z.object({
  address: z.string(),
  hostPorts: z.optional(z.tuple([z.number(), z.number()])),
  containerPort: z.number(),
  protocol: protocolSchema,
});
const portSchema = z.object({
  address: z.string(),
  hostPort: z.number(),
  containerPort: z.number(),
  protocol: protocolSchema,
});
const processSchema = z.object({
  argv: z.array(z.string()).check(z.minLength(1)),
  env: z.array(z.string()),
  cwd: z.string(),
  user: z.string(),
  hostname: z.string(),
  network: z.enum(processNetworks),
  publish: z._default(z.array(publishSchema), []),
  extraHosts: z.array(z.object({ host: z.string(), address: z.string() })),
  volumes: z.array(z.object({ source: z.string(), target: z.string(), readOnly: z.boolean() })),
  tmpfs: z.array(z.object({ target: z.string(), sizeBytes: z.optional(z.number()) })),
  shmSizeBytes: z.optional(z.number()),
  limits: z.array(z.object({ name: z.string(), soft: z.number(), hard: z.number() })),
  readOnly: z.boolean(),
  privileged: z.boolean(),
});

/** A container as it lies in the store. */
export const containerSchema = z.object({
  version: z.literal(1),
  id: z.string().check(z.regex(/^[0-9a-f]{64}$/)),
  name: z.string(),
  image: z.object({ name: z.string(), digest: digestSchema }),
  config: imageConfigSchema,
  layers: z.array(layerSchema),
  imageLayers: z.int().check(z.nonnegative()),
  process: processSchema,
  status: z.enum(['created', 'running', 'exited']),
  createdMs: z.number(),
  startedMs: z.optional(z.number()),
  finishedMs: z.optional(z.number()),
  exitCode: z.optional(z.number()),
  runner: z.optional(z.string()),
  ports: z.optional(z.array(portSchema)),
  kept: z.optional(z.boolean()),
  keeper: z.optional(z.string()),
  failure: z.optional(z.object({ timeMs: z.number(), message: z.string(), hint: z.optional(z.string()) })),
});
