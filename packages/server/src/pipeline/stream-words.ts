import type { RequestId } from "@claude-relay/contract";

/** The only event we put into a stream; Anthropic's own keep-alive, byte for byte. */
export const ping = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n');

/**
 * The last words of a stream that broke off: an `error` event as Anthropic sends one after a 200.
 * Inside an event (`between` false) the broken line is ended and the event turned into this error:
 * in SSE the last `event` field wins, so that no client parses a truncated delta.
 */
export const streamError = (message: string, id: RequestId, between: boolean): Buffer => {
  const body = { type: "error", error: { type: "api_error", message }, request_id: id };
  return Buffer.from(`${between ? "" : "\n"}event: error\ndata: ${JSON.stringify(body)}\n\n`);
};
