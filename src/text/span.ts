/** A half-open range `[start, end)` of UTF-16 code units of one string: `text.slice(start, end)`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}
