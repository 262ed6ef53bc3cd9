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
  | { readonly kind: 'registry-warning'; readonly registry: string; readonly message: string };

export type RegistryEventSink = (event: RegistryEvent) => void;
