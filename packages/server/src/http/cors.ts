import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Cross-origin calls from browsers, for named origins only (https://fetch.spec.whatwg.org/#http-cors-protocol).
 * Gives true when it has answered a preflight itself.
 */
export const createCors = (origins: readonly string[]) => {
  const allowed = new Set(origins);
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    const { origin } = request.headers;
    if (origin === undefined || !allowed.has(origin)) {
      return false;
    }
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "origin");
    response.setHeader(
      "access-control-expose-headers",
      "request-id, retry-after, link, x-should-retry, x-relay-upstream, x-relay-request-id, x-relay-error, x-relay-next-cursor, x-relay-truncated",
    );
    if (request.method !== "OPTIONS" || !request.headers["access-control-request-method"]) {
      return false;
    }
    response.writeHead(204, {
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers":
        request.headers["access-control-request-headers"] ?? "authorization, content-type",
      "access-control-max-age": "600",
    });
    response.end();
    return true;
  };
};
