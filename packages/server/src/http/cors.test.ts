import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { createCors } from "./cors.ts";

const ask = (origins: string[], method: string, headers: Record<string, string>) => {
  const seen: Record<string, unknown> = {};
  const response = {
    setHeader: (name: string, value: string) => {
      seen[name] = value;
    },
    writeHead: (status: number, more: object) => Object.assign(seen, { status, ...more }),
    end: () => {},
  } as unknown as ServerResponse;
  const answered = createCors(origins)({ method, headers } as unknown as IncomingMessage, response);
  return { answered, seen };
};

const app = "https://app.example.com";
const wish = { "access-control-request-method": "POST" };

describe("CORS", () => {
  it("touches nothing without an origin, or for one that is not named", () => {
    for (const headers of [{}, { origin: "https://evil.test" }, { origin: "null" }]) {
      const { answered, seen } = ask([app], "OPTIONS", { ...headers, ...wish });
      assert.equal(answered, false);
      assert.deepEqual(seen, {});
    }
    assert.equal(ask([], "OPTIONS", { origin: app, ...wish }).answered, false);
  });

  it("answers a named origin's preflight itself, and only the preflight", () => {
    const { answered, seen } = ask([app], "OPTIONS", { origin: app, ...wish });
    assert.equal(answered, true);
    assert.equal(seen["status"], 204);
    assert.equal(seen["access-control-allow-origin"], app);
    for (const [method, headers] of [
      ["GET", wish],
      ["OPTIONS", {}],
    ] as const) {
      const other = ask([app], method, { origin: app, ...headers });
      assert.equal(other.answered, false);
      assert.equal(other.seen["access-control-allow-origin"], app);
      assert.equal(other.seen["vary"], "origin");
    }
  });
});
