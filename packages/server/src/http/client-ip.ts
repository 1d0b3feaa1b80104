import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { isLoopbackAddress, isLoopbackHost } from "../pipeline/loopback.ts";

/**
 * The address of whoever sent the request. Behind `hops` trusted proxies it is the entry that many
 * steps from the right of `X-Forwarded-For`, which the outermost of them wrote; what stands left of
 * it the client could invent. Without trusted proxies the header counts for nothing.
 */
export const clientIp = (request: IncomingMessage, hops: number): string => {
  const peer = plain(request.socket.remoteAddress ?? "unknown");
  if (hops === 0) {
    return peer;
  }
  const entries = String(request.headers["x-forwarded-for"] ?? "").split(",");
  const named = plain((entries[entries.length - hops] ?? "").trim());
  return isIP(named) === 0 ? peer : named;
};

/** Headers that only a proxy or tunnel adds. */
const proxyHeaders = ["forwarded", "x-forwarded-for", "x-forwarded-host", "via", "x-real-ip"];

/**
 * True when the request came from a program on this machine and by its own name: not through a
 * proxy or tunnel that ends here, and not from a web page whose host name was bent to loopback.
 */
export const isFromThisMachine = (request: IncomingMessage): boolean => {
  const host = (request.headers.host ?? "").replace(/:\d+$/, "");
  return (
    isLoopbackAddress(plain(request.socket.remoteAddress ?? "")) &&
    isLoopbackHost(host) &&
    proxyHeaders.every((name) => request.headers[name] === undefined)
  );
};

const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "");
