import assert from "node:assert/strict";
import { type ErrorCode, errorMeanings } from "@claude-relay/contract";
import type { Answer, InsideRelay } from "./inside.ts";

export type Refused = Readonly<{
  status: number;
  type: string;
  /** What the message must say. */
  says: RegExp;
  /** `x-should-retry`; absent unless given. */
  retry?: "false" | "true";
}>;

/** Demands a refusal in Anthropic's envelope, its request id told twice and the same, and its code. */
export const assertRefused = (answer: Answer, wanted: Refused): void => {
  const meaning = errorMeanings[answer.headers.get("x-relay-error") as ErrorCode];
  assert.deepEqual([meaning?.status, meaning?.type], [wanted.status, wanted.type], answer.text);
  assertEnvelope(answer, wanted, ["type", "error", "request_id"]);
};

/** The same at the apps' doors, whose errors say `ok: false` before all else. */
export const assertAppRefused = (answer: Answer, wanted: Refused): void => {
  assertEnvelope(answer, wanted, ["ok", "type", "error", "request_id"]);
  assert.equal(answer.body.ok, false);
};

const assertEnvelope = (answer: Answer, wanted: Refused, fields: readonly string[]): void => {
  assert.equal(answer.status, wanted.status, answer.text);
  assert.deepEqual(Object.keys(answer.body), fields);
  assert.equal(answer.body.type, "error");
  assert.equal(answer.body.error.type, wanted.type);
  assert.match(answer.body.error.message, wanted.says);
  assert.match(answer.body.request_id, /^req_[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.equal(answer.headers.get("request-id"), answer.body.request_id);
  assert.equal(answer.headers.get("x-should-retry"), wanted.retry ?? null);
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
};

/** Demands that upstream has had no request since the last time this was asked. */
export const assertUpstreamUnasked = ({ simulator }: InsideRelay): void => {
  const { requests } = simulator.counters();
  simulator.reset();
  assert.equal(requests, 0, "upstream was called");
};

export const invalid = (says: RegExp): Refused => ({
  status: 400,
  type: "invalid_request_error",
  says,
});

/** A token that will never be good: clients must not try it again. */
export const badToken = (says: RegExp = /not one of this relay's/): Refused => ({
  status: 401,
  type: "authentication_error",
  says,
  retry: "false",
});

/** A token that was good: clients fetch a new one. */
export const expiredToken = (
  says: RegExp = /^Token expired\. Please refresh your token\.$/,
): Refused => ({ status: 401, type: "authentication_error", says });

export const forbidden = (says: RegExp): Refused => ({
  status: 403,
  type: "permission_error",
  says,
  retry: "false",
});
