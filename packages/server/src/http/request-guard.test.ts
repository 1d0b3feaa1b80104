import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { describe, it } from "node:test";
import { guardRequest } from "./request-guard.ts";

type Parts = Readonly<{
  url?: string;
  method?: string;
  version?: readonly [number, number];
  headers?: readonly (readonly [name: string, value: string])[];
}>;

const request = ({ url = "/v1/messages", method = "POST", version = [1, 1], headers }: Parts) => {
  const list = headers ?? [["Host", "relay.test"]];
  return {
    url,
    method,
    httpVersionMajor: version[0],
    httpVersionMinor: version[1],
    headers: Object.fromEntries(list.map(([name, value]) => [name.toLowerCase(), value])),
    rawHeaders: list.flat(),
  } as unknown as IncomingMessage;
};

const passes = (parts: Parts): void => assert.equal(guardRequest(request(parts)), null);
const refused = (parts: Parts, says: RegExp): void => {
  const refusal = guardRequest(request(parts));
  assert.equal(refusal?.code, "invalid_request");
  assert.match(refusal?.message ?? "", says);
};
const host = (value: string) => ({ headers: [["Host", value] as const] });

describe("the guard before all routes", () => {
  it("lets plain requests through", () => {
    passes({});
    passes({ method: "GET", url: "/healthz?x=http://a" });
    passes({ version: [1, 0], method: "GET" });
    for (const name of ["localhost:3001", "127.0.0.1", "[::1]:3001", "a_b.test", "RELAY.test."]) {
      passes(host(name));
    }
  });

  it("demands a path", () => {
    for (const url of ["http://evil.test/admin", "*", "", "admin", "\\admin", "relay.test:443"]) {
      refused({ url }, /must be a path/);
    }
  });

  it("demands one well-formed Host", () => {
    refused({ headers: [] }, /Host/);
    for (const name of ["", "a/#@b", "a@b", "a b", "a,b", "a:b", "a:123456", "[::1", "a\tb", "é"]) {
      refused(host(name), /Host/);
    }
    refused(
      {
        headers: [
          ["Host", "a"],
          ["hOsT", "a"],
        ],
      },
      /Host/,
    );
  });

  it("demands one credential and one type, whatever their case and wherever they stand", () => {
    for (const name of ["Authorization", "Content-Type"]) {
      const headers = [
        ["Host", "a"],
        [name, "x"],
        ["X-A", "b"],
        [name.toUpperCase(), "x"],
      ] as const;
      refused({ headers }, new RegExp(`^${name.toLowerCase()} is given more than once`));
    }
    passes({
      headers: [
        ["Host", "a"],
        ["X-Thirteen-Ch", "a"],
        ["X-Thirteen-Ch", "b"],
      ],
    });
  });

  it("refuses what HTTP/1.1 is not", () => {
    refused({ version: [0, 9] }, /HTTP\/1\.1/);
    refused({ version: [2, 0] }, /HTTP\/1\.1/);
    const chunked = [
      ["Host", "a"],
      ["Transfer-Encoding", "chunked"],
    ] as const;
    refused({ version: [1, 0], headers: chunked }, /HTTP\/1\.0/);
    passes({ headers: chunked });
  });

  it("refuses bodies where none belongs", () => {
    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      refused(
        {
          method,
          headers: [
            ["Host", "a"],
            ["Content-Length", "1"],
          ],
        },
        /takes no body/,
      );
      refused(
        {
          method,
          headers: [
            ["Host", "a"],
            ["Transfer-Encoding", "chunked"],
          ],
        },
        /no body/,
      );
      passes({
        method,
        headers: [
          ["Host", "a"],
          ["Content-Length", "0"],
        ],
      });
    }
  });
});
