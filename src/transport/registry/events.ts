import type { RateLimit } from './rate-limit.js';

/** What a registry client has to say while it works. No event carries a secret. */
export type RegistryEvent =
  /** A request is sent again after `delayMs`. */
  | {
      readonly kind: 'registry-retry';
      readonly method: string;
      readonly url: string;
      readonly reason: string;
      readonly delayMs: number;
    }
  /** A transfer goes on at `offset`, where an earlier process left it. */
  | {
      readonly kind: 'transfer-continued';
      readonly direction: 'download' | 'upload';
      readonly digest: string;
      readonly offset: number;
    }
  /** Bytes that were on the way already are sent once more. */
  | {
      readonly kind: 'transfer-repeated';
      readonly direction: 'download' | 'upload';
      readonly digest: string;
      readonly bytes: number;
    }
  /** How many requests the registry allows for now: told once, and again when few are left. */
  | ({ readonly kind: 'registry-rate-limit'; readonly registry: string } & RateLimit)
  | { readonly kind: 'registry-warning'; readonly registry: string; readonly message: string };

export type RegistryEventSink = (event: RegistryEvent) => void;
