import type { AppErrorBody, ErrorBody, RequestId } from "@claude-relay/contract";

/** Anthropic's error shape. */
export const errorBody = (type: string, message: string, id: RequestId): ErrorBody => ({
  type: "error",
  error: { type, message },
  request_id: id,
});

/** That of the apps' doors: `ok: false` too, for callers that look at nothing else. */
export const appErrorBody = (type: string, message: string, id: RequestId): AppErrorBody => ({
  ok: false,
  ...errorBody(type, message, id),
});
