import type { IncomingMessage } from "node:http";
import { Refusal } from "../pipeline/refusal.ts";

/**
 * What Node's parser and the router let through and should not (measured): a malformed `Host`, a second
 * one or a second credential, absolute-form targets, HTTP/1.0 with transfer-encoding, and bodies on methods without.
 * Looked at before anything is routed.
 */
export const guardRequest = (request: IncomingMessage): Refusal | null => {
  if (request.url?.charCodeAt(0) !== slash) {
    return refuse("The request target must be a path such as /v1/messages.");
  }
  const { host, "transfer-encoding": coding, "content-length": length } = request.headers;
  const repeated = repeatedHeader(request.rawHeaders);
  if (host === undefined || !validHost.test(host) || repeated === "host") {
    return refuse("Exactly one well-formed Host header is required.");
  }
  if (repeated !== null) {
    return refuse(`${repeated} is given more than once: send it once.`);
  }
  if (request.httpVersionMajor !== 1) {
    return refuse("HTTP/1.1 is spoken here.");
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

/** Headers of which Node keeps the first and drops the rest, while another reader may keep the last. */
const single = new Set(["host", "authorization", "content-type"]);

const repeatedHeader = (raw: readonly string[]): string | null => {
  let seen: string[] | null = null;
  for (let index = 0; index < raw.length; index += 2) {
    const { length } = raw[index] ?? "";
    // By length first: this is looked at for every header of every request.
    if (length === 4 || length === 12 || length === 13) {
      const name = (raw[index] ?? "").toLowerCase();
      if (single.has(name)) {
        if (seen?.includes(name)) {
          return name;
        }
        seen ??= [];
        seen.push(name);
      }
    }
  }
  return null;
};

const refuse = (message: string): Refusal => new Refusal("invalid_request", message);
