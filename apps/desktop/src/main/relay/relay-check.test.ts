import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { relayAddressFrom } from "@claude-relay/client/device";
import { tempFolder } from "../../../../../test/harness/temp-folder.ts";
import { CallError } from "../../bridge/call-error.ts";
import { demandRelay } from "./relay-check.ts";

const listening = async (t: TestContext, server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  return (server.address() as AddressInfo).port;
};

const check = (relayUrl: string, signal = new AbortController().signal): Promise<void> =>
  demandRelay(relayAddressFrom({ relayUrl, environment: {} }), signal);

const answering = async (t: TestContext, listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listening(t, createServer(listener))}`;

const says = (words: RegExp) => (error: unknown) =>
  error instanceof CallError && error.code === "failed" && words.test(error.message);

describe("a look at an address before it is taken", () => {
  it("is content with what answers as a relay does, below a path too", async (t) => {
    const asked: unknown[] = [];
    const url = await answering(t, (request, response) => {
      asked.push(request.url, request.headers.authorization);
      response.end('{"status":"ok","timestamp":"2026-11-21T12:00:00.000Z"}');
    });
    await check(url);
    await check(`${url}/claude/`);
    assert.deepEqual(asked, ["/healthz", undefined, "/claude/healthz", undefined]);
  });

  it("says what answers instead", async (t) => {
    for (const [status, body, words] of [
      [200, "<h1>It works!</h1>", /\(status 200\) is not a claude-relay/],
      [200, '{"status":"UP"}', /is not a claude-relay/],
      [200, "null", /is not a claude-relay/],
      [200, `{"status":"ok","timestamp":"${"x".repeat(100_000)}"}`, /is not a claude-relay/],
      [404, "{}", /\(status 404\) is not a claude-relay/],
      [401, "", /\(status 401\) is not a claude-relay/],
      [308, "", /sends callers on/],
      [503, "", /not well \(status 503\)/],
    ] as const) {
      const url = await answering(t, (_, response) => {
        response.writeHead(status, { location: "https://example.com" }).end(body);
      });
      await assert.rejects(check(url), says(words), `${status} ${body.slice(0, 20)}`);
    }
  });

  it("reads a page without end no further than it must", async (t) => {
    const url = await answering(t, (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536))) {
          // As fast as it goes.
        }
        response.once("drain", more);
      };
      more();
    });
    await assert.rejects(check(url), says(/is not a claude-relay/));
  });

  it("says that a certificate is not to be trusted", async (t) => {
    const cwd = tempFolder(t);
    const words =
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost -keyout key.pem -out cert.pem";
    execFileSync("openssl", words.split(" "), { cwd, stdio: "ignore" });
    const [key, cert] = ["key.pem", "cert.pem"].map((name) => readFileSync(join(cwd, name)));
    const port = await listening(
      t,
      createSecureServer({ key, cert }, () => undefined),
    );
    await assert.rejects(
      check(`https://localhost:${port}`),
      says(/certificate that is not to be trusted \(\w+\)\. Check the address/),
    );
  });

  it("ends when the app does", async (t) => {
    const leaving = new AbortController();
    const url = await answering(t, () => leaving.abort(new Error("closing")));
    await assert.rejects(check(url, leaving.signal), /closing/);
  });
});
