import type { ErrorBody } from "@claude-relay/contract";
import type { Upstream } from "../pipeline/types.ts";

/** An upstream that serves nothing: every call is answered 503 with the reason, and nothing is sent anywhere. */
export const createClosedUpstream = (reason: string): Upstream => ({
  name: "none",
  send: (_request, receiver) => {
    let isCancelled = false;
    const error: ErrorBody["error"] = { type: "api_error", message: reason };
    const body = Buffer.from(JSON.stringify({ type: "error", error }));
    // Later, so that the sender holds the exchange before it hears of its end.
    queueMicrotask(() => {
      if (!isCancelled) {
        receiver.onStart(503, { "content-type": "application/json" });
        receiver.onData(body);
        receiver.onEnd();
      }
    });
    return {
      sent: false,
      pause: () => undefined,
      resume: () => undefined,
      cancel: () => {
        isCancelled = true;
      },
    };
  },
});
