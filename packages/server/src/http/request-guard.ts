import type { IncomingMessage } from "node:http";
import { Refusal } from "../pipeline/refusal.ts";

/**
 * What Node's parser and the router let through and should not (measured): a second or malformed
 * `Host`, absolute-form targets, HTTP/1.0 with transfer-encoding, and bodies on methods without.
 * Looked at before anything is routed.
 */
export const guardRequest = (request: IncomingMessage): Refusal | null => {
  if (request.url?.charCodeAt(0) !== slash) {
    return refuse("The request target must be a path such as /v1/messages.");
  }
  const { host, "transfer-encoding": coding, "content-length": length } = request.headers;
  if (host === undefined || !validHost.test(host) || countHosts(request.rawHeaders) !== 1) {
    return refuse("Exactly one well-formed Host header is required.");
  }
  if (coding !== undefined && request.httpVersionMinor === 0) {
    return refuse("HTTP/1.0 knows no transfer-encoding.");
  }
  if (request.method !== "POST" && bodiless.has(request.method ?? "")) {
    if (coding !== undefined || (length !== undefined && length !== "0")) {
      return refuse(`${request.method} takes no body here.`);
    }
  }
  return null;
};

const slash = 0x2f;
const bodiless = new Set(["GET", "HEAD", "OPTIONS"]);
/** A name, an IPv4 address or a bracketed IPv6 address, and perhaps a port. RFC 9110 §7.2 */
const validHost = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

const countHosts = (raw: readonly string[]): number => {
  let count = 0;
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index];
    if (name?.length === 4 && name.toLowerCase() === "host") {
      count += 1;
    }
  }
  return count;
};

const refuse = (message: string): Refusal => new Refusal("invalid_request", message);
