import assert from "node:assert/strict";
import { Refusal } from "../refusal.ts";
import type { BodyFacts } from "../types.ts";
import { scanBody } from "./body-scan.ts";

export const scan = (
  body: string | Buffer,
  operation: "messages" | "count_tokens" = "messages",
): BodyFacts => scanBody(typeof body === "string" ? Buffer.from(body) : body, operation);

/** What every good body holds. */
export const base = '"model":"claude-opus-5-5","max_tokens":10';

export const withMore = (more: string): BodyFacts => scan(`{${base},${more}}`);

/** Demands that a body is refused in these words. */
export const refused = (body: string | Buffer, message: RegExp): void => {
  assert.throws(
    () => scan(body),
    (error) => {
      assert.ok(error instanceof Refusal, String(error));
      assert.equal(error.code, "invalid_request");
      assert.match(error.message, message);
      return true;
    },
  );
};

export const refusedWith = (more: string, message: RegExp): void =>
  refused(`{${base},${more}}`, message);
