import type { CopyEvent } from '../content/copy.js';
import type { Diagnostic } from '../dockerfile/ast.js';
import type { SegmentCounts } from '../layer/layer-store.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Platform } from '../oci/platform.js';
import type { LayerRef } from '../tree/node.js';

/** One step of a build as it is shown to people. */
export interface StepInfo {
  /** Unique in the build. */
  readonly id: number;
  /** Name of the stage, or `stage-N`; absent in a build of one stage. */
  readonly stage?: string | undefined;
  /** Place among the steps of its stage that make layers, from 1; absent for steps that only change the configuration. */
  readonly index?: number | undefined;
  readonly total?: number | undefined;
  readonly title: string;
  readonly line: number;
  /** Those of the build's platforms that the step is carried out for, at once; absent in a build for one. */
  readonly platforms?: readonly Platform[] | undefined;
}

/**
 * What a build says while it runs. Steps that need nothing of each other run at the same time, so their events mix; what
 * a step needs is done before it starts.
 */
export type BuildEvent =
  | { readonly kind: 'diagnostic'; readonly diagnostic: Diagnostic }
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'step-started'; readonly step: StepInfo }
  /** Uncompressed bytes of the layer written so far. */
  | { readonly kind: 'step-progress'; readonly step: StepInfo; readonly bytes: number }
  /** A file of the web on its way: bytes so far, of `total` where the server says how many. The address has no secrets. */
  | {
      readonly kind: 'step-fetch';
      readonly step: StepInfo;
      readonly url: string;
      readonly bytes: number;
      readonly total?: number | undefined;
    }
  /** `cached`: the store had the layer before the build. `segments`: of a layer that was packed for this step. */
  | {
      readonly kind: 'step-done';
      readonly step: StepInfo;
      readonly cached: boolean;
      readonly layer?: LayerRef | undefined;
      readonly segments?: SegmentCounts | undefined;
    }
  /** The step failed, or was `cancelled` because another one did or the caller wanted it. The build rejects with the reason. */
  | { readonly kind: 'step-failed'; readonly step: StepInfo; readonly cancelled: boolean }
  | {
      readonly kind: 'output';
      readonly step: StepInfo;
      readonly stream: 'stdout' | 'stderr';
      readonly chunk: Uint8Array;
    }
  /** A shell has the terminal, where a command has failed for that reason; nothing else is going on. */
  | { readonly kind: 'debug-shell'; readonly state: 'open' | 'closed'; readonly reason: string }
  /** A base image on its way into the store. */
  | { readonly kind: 'transfer'; readonly reference: string; readonly event: CopyEvent }
  | { readonly kind: 'image-done'; readonly descriptor: Descriptor; readonly platform: Platform };
