import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { signedHeaders } from "./signature.ts";

const secret = "s".repeat(32);

type Check = (
  headers: Readonly<Record<string, string>>,
  body: string,
  secret: string,
  nowMs: number,
) => boolean;

/** The receiver's check as docs/webhooks.md has it. */
const documented = async (): Promise<Check> => {
  const docs = new URL("../../../../docs/webhooks.md", import.meta.url);
  const [, code = ""] = /```js\n(.*?)```/s.exec(readFileSync(docs, "utf8")) ?? [];
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return module.isFromRelay;
};

describe("a signature", () => {
  const body = '{"id":"evt_1","subject":"žluťoučký"}';
  const headers = signedHeaders(secret, 1_700_000_000, body);
  const nowMs = 1_700_000_010_000;

  it("passes the check that the documentation gives receivers", async () => {
    const isFromRelay = await documented();
    assert.equal(isFromRelay(headers, body, secret, nowMs), true);
  });

  it("does not pass it with another body, time, secret or signature, nor when it is old", async () => {
    const isFromRelay = await documented();
    const later = { ...headers, "x-relay-timestamp": "1700000001" };
    assert.equal(isFromRelay(headers, `${body} `, secret, nowMs), false);
    assert.equal(isFromRelay(later, body, secret, nowMs), false);
    assert.equal(isFromRelay(headers, body, "t".repeat(32), nowMs), false);
    assert.equal(
      isFromRelay({ ...headers, "x-relay-signature": "v1=" }, body, secret, nowMs),
      false,
    );
    assert.equal(isFromRelay({}, body, secret, nowMs), false);
    assert.equal(isFromRelay(headers, body, secret, nowMs + 300_000), false);
  });
});
