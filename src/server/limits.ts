/** Bounds of the server's work; all of them hold for every client alike. */
export interface Limits {
  /** Largest request body, in bytes, also after gzip is undone. */
  readonly maxBody: number;
  /** Longest text of one document, in UTF-16 code units. */
  readonly maxText: number;
  /** Longest time from a request's arrival to its answer, in milliseconds. */
  readonly maxTime: number;
  /** Requests that may wait for the model at once. */
  readonly maxQueue: number;
  /** Words that may wait for the model before further requests are refused. */
  readonly maxQueuedWords: number;
  /** How long a request waits for others to share a run of the model, in milliseconds. */
  readonly maxWait: number;
  /** Words of one run of the model. */
  readonly batchWords: number;
}

export const defaultLimits: Limits = {
  maxBody: 10 * 2 ** 20,
  maxText: 1_000_000,
  maxTime: 30_000,
  maxQueue: 256,
  maxQueuedWords: 200_000,
  maxWait: 5,
  batchWords: 1024,
};
