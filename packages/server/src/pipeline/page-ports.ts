/** The page fetch's port: what `POST /v1/fetch` asks for and gets. fetch/ implements it, the HTTP door calls it. */

/** `html` as the page has it, `text` and `markdown` made from it for models. */
export type PageFormat = "html" | "text" | "markdown";

export type PageRequest = Readonly<{
  url: string;
  /** The most bytes of text to give back, in UTF-8: 1 … `pageBytes.max`. */
  maxBytes: number;
  /** `html` only: drop scripts, styles, svg and comments, keep JSON-LD. Text and markdown never have them. */
  strip: boolean;
  format: PageFormat;
  /** Whose fetch it is: places are shared between callers. The line sets it. */
  callerKey?: string;
  /** Aborted when the caller leaves: the connection and the parsing end at once. */
  signal: AbortSignal;
}>;

export type Page = Readonly<{
  /** The page's own status; 404 or 500 is an answer like any other. */
  status: number;
  /** Where the redirects ended, without a fragment. */
  finalUrl: string;
  /** Whether anything was cut: the page as it was read, its tree, or the returned text. */
  truncated: boolean;
  /** The page in the format asked for. What is not HTML (JSON, XML, plain text) comes as it is. */
  html: string;
  /** The page's `content-type`, whole; null when it sent none. */
  contentType: string | null;
}>;

/**
 * Fetches one page from a public address.
 * @throws Refusal `invalid_request` (this `url` may not be fetched), `upstream_unreachable` (no usable answer
 *   came), `upstream_timeout` (it took too long), `rate_limited` (too many fetches at once).
 * @throws the signal's reason when the caller left.
 */
export type PageFetch = (request: PageRequest) => Promise<Page>;
