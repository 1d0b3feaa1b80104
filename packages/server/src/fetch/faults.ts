/** Every way a page fetch says no. Messages name the field and the remedy, never an address that was resolved. */
import { Refusal } from "../pipeline/refusal.ts";

/** The `url` itself may not be fetched. Asking again cannot help; another `url` can. */
export const notAllowed = (why: string): Refusal => new Refusal("invalid_request", `url: ${why}`);

/** One wording for a private address and for a name that does not exist: else we would tell which internal names do. */
export const notPublic = (): Refusal =>
  notAllowed(
    "the host does not resolve to a public address. Only public web pages can be fetched.",
  );

/** The page's server gave no usable answer. */
export const unreachable = (why: string): Refusal =>
  new Refusal("upstream_unreachable", `url: ${why}`);

export const tooSlow = (why: string): Refusal => new Refusal("upstream_timeout", `url: ${why}`);

export const tooComplex = (): Refusal =>
  unreachable("the page is too complex to be read. Try `strip: false` with `format: html`.");

export const busy = (): Refusal =>
  new Refusal("rate_limited", "Too many page fetches at once. Try again shortly.", {
    retryAfterSeconds: 1,
  });

/** undici's codes for an exchange that took too long. */
const timeouts = new Set([
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

/** Puts an error of sockets, TLS, HTTP or decompression into our words. */
export const brokenExchange = (error: unknown): Refusal => {
  if (error instanceof Refusal) {
    return error;
  }
  // The code alone: messages name addresses.
  const code =
    error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  return timeouts.has(code)
    ? tooSlow("the page's server took too long to answer. Try again later.")
    : unreachable(`the page's server gave no usable answer (${code || "broken off"}).`);
};
