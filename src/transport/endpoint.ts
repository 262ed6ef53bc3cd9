import type { ContentSource, ContentTarget } from '../content/content.js';
import type { CallOptions } from '../stream/bytes.js';

/** An opened location: content, and the name in it that was meant. */
export interface Endpoint extends ContentSource, ContentTarget {
  /** What to `resolve`, or to `tag` in the end. Empty where the location has none: the only image there is. */
  readonly name: string;
  /**
   * Lets go of everything. Archives are written here, from what was tagged, so that an error is an error of the copy;
   * without a tag nothing is written.
   */
  close(options?: CallOptions): Promise<void>;
  /** Lets go of everything after a failure: nothing that is not written yet will be. */
  abort(): Promise<void>;
}
