import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { startRelay } from "./harness/relay.ts";

describe("an upstream that redirects", () => {
  it("is not followed, its address does not reach the caller, and nothing is charged", async (t) => {
    const paths: string[] = [];
    const upstream = createServer((request, response) => {
      paths.push(request.url ?? "");
      response.writeHead(307, { location: "http://127.0.0.1:9/elsewhere" }).end();
    }).listen(0, "127.0.0.1");
    t.after(() => upstream.close());
    await new Promise((resolve) => upstream.once("listening", resolve));
    const port = (upstream.address() as AddressInfo).port;
    const relay = await startRelay({ upstreamUrl: `http://127.0.0.1:${port}` });
    t.after(() => relay.stop());
    const token = await relay.bootstrap();
    for (const query of ["", "?beta=true", "?beta=true&x=1", "?x=1&beta=true", "?x=beta=true"]) {
      const response = await fetch(`${relay.url}/v1/messages${query}`, {
        method: "POST",
        redirect: "manual",
        headers: { "x-api-key": token, "content-type": "application/json" },
        body: '{"model":"claude-sonnet-5-5","max_tokens":9,"messages":[]}',
      });
      assert.equal(response.status, 307);
      assert.equal(response.headers.get("location"), null);
    }
    assert.deepEqual(paths, [
      "/v1/messages",
      "/v1/messages?beta=true",
      "/v1/messages?beta=true",
      "/v1/messages?beta=true",
      "/v1/messages",
    ]);
    const { body } = await relay.admin("/admin/usage?group_by=accuracy");
    assert.deepEqual(
      body.groups.map((group: { group: object }) => group.group),
      [{ accuracy: "free" }],
    );
  });
});
