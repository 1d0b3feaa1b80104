import type { IncomingHttpHeaders } from "node:http";

/** What the relay names where the caller does not. */
export const anthropicVersion = "2023-06-01";

/**
 * Headers are an open list: everything passes but credentials, hop-by-hop fields (RFC 9110 §7.6.1),
 * cookies, and what a hop says of itself. `accept-encoding` is ours to choose: metering reads plain bytes.
 */
const keptFromUpstream = new Set([
  "accept-encoding",
  "authorization",
  "connection",
  "content-length",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-api-key",
  "x-real-ip",
]);

const keptFromCaller = new Set([
  // Which origins may read our answers is ours to say (CORS_ORIGINS).
  "access-control-allow-credentials",
  "access-control-allow-headers",
  "access-control-allow-methods",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "access-control-max-age",
  "alt-svc",
  "connection",
  "keep-alive",
  // Redirects are never followed: a client that did would hand its credential to another origin.
  "location",
  "nel",
  "proxy-authenticate",
  "proxy-connection",
  "report-to",
  "set-cookie",
  // Would bind the operator's own domain to upstream's choice.
  "strict-transport-security",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** A caller's headers as upstream gets them: a flat list of names and values. */
export const headersForUpstream = (headers: IncomingHttpHeaders): string[] => {
  const named = connectionNames(headers.connection);
  const flat: string[] = ["accept-encoding", "identity"];
  for (const name in headers) {
    if (keptFromUpstream.has(name) || named?.has(name) || isOurs(name)) {
      continue;
    }
    push(flat, name, headers[name]);
  }
  return flat;
};

/**
 * Upstream's headers as the caller gets them, `x-relay-*` added.
 * `keepLength` is false for a stream, into which pings may be put.
 */
export const headersForCaller = (
  headers: IncomingHttpHeaders,
  keepLength: boolean,
  added: readonly string[],
): string[] => {
  const named = connectionNames(headers.connection);
  const flat: string[] = [...added];
  for (const name in headers) {
    if (keptFromCaller.has(name) || named?.has(name) || name.startsWith("x-relay-")) {
      continue;
    }
    if (name === "content-length" && !keepLength) {
      continue;
    }
    push(flat, name, headers[name]);
  }
  return flat;
};

const isOurs = (name: string): boolean =>
  name.charCodeAt(0) === 0x78 && (name.startsWith("x-relay-") || name.startsWith("x-forwarded-"));

const push = (flat: string[], name: string, value: string | string[] | undefined): void => {
  if (typeof value === "string") {
    flat.push(name, value);
  } else if (value !== undefined) {
    for (const one of value) {
      flat.push(name, one);
    }
  }
};

/** Further hop-by-hop names that `Connection` itself lists. */
const connectionNames = (connection: string | undefined): Set<string> | null => {
  if (connection === undefined || /^(keep-alive|close)$/i.test(connection)) {
    return null;
  }
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
};
