/** Bounds of one page fetch. Times in milliseconds, sizes in bytes. */
export type FetchLimits = Readonly<{
  /** From the call to the finished text: lookups, redirects, reading and rendering together. */
  totalMs: number;
  /** TCP and TLS to one address. */
  connectMs: number;
  /** Until the response headers are whole. */
  headersMs: number;
  /** Silence within the body. */
  idleMs: number;
  /** Parsing and converting; the worker thread is killed after it. */
  renderMs: number;
  /** Decoded bytes of a page that are read. Larger than what is returned: stripping makes pages smaller. */
  readBytes: number;
  /** Response headers. */
  headerBytes: number;
  redirects: number;
  /** Fetches at the same time, half of them one caller's at most; one more is refused. */
  concurrent: number;
}>;

/** Those the operator sets. */
export type SetLimits = Pick<FetchLimits, "totalMs" | "concurrent">;

export const defaultLimits: Omit<FetchLimits, keyof SetLimits> = {
  connectMs: 4_000,
  headersMs: 10_000,
  idleMs: 5_000,
  renderMs: 5_000,
  readBytes: 4 * 1024 * 1024,
  headerBytes: 64 * 1024,
  redirects: 5,
};
