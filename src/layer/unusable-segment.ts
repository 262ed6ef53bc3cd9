/** A segment of an earlier layer is not what it was, or not there any more: what was to take it over is made anew. */
export class UnusableSegment extends Error {}
