import type { Descriptor } from '../oci/descriptor.js';

/** A file of the web, as its server had it, with its bytes in a store. */
export interface WebFile {
  readonly blob: Descriptor;
  /** Names these bytes among all that the address ever had, where the server gives such names. */
  readonly etag?: string | undefined;
  /** Seconds since 1970, where the server says so. */
  readonly lastModified?: number | undefined;
}
