import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { createSimulator } from "../packages/server/src/upstreams/simulator/server.ts";
import { type Relay, startRelay } from "./harness/relay.ts";

describe("the list of models", () => {
  const upstream = createSimulator();
  let upstreamUrl = "";
  let relay: Relay;

  before(async () => {
    upstreamUrl = await upstream.listen();
    relay = await startRelay({ upstreamUrl });
  });
  after(async () => {
    await relay.stop();
    await upstream.close();
  });

  const list = async (from: Relay, token: string): Promise<string> => {
    const response = await fetch(`${from.url}/v1/models?limit=1000`, {
      headers: { "x-api-key": token, "anthropic-version": "2023-06-01" },
    });
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.equal(response.headers.get("content-length"), String(Buffer.byteLength(text)));
    return text;
  };

  const straight = async (): Promise<string> => {
    const response = await fetch(`${upstreamUrl}/v1/models?limit=1000`, {
      headers: { "x-api-key": "any", "anthropic-version": "2023-06-01" },
    });
    return response.text();
  };

  const ids = (text: string): string[] =>
    JSON.parse(text).data.map((model: { id: string }) => model.id);

  it("is upstream's, byte for byte, for a caller without restrictions", async () => {
    assert.equal(await list(relay, await relay.bootstrap("free-device")), await straight());
  });

  it("leaves out what the caller may not use, and keeps upstream's paging ids", async () => {
    const token = await relay.bootstrap("narrow-device");
    await relay.admin("/admin/devices/narrow-device", {
      method: "PATCH",
      body: JSON.stringify({ models: ["claude-haiku-*"] }),
    });
    const text = await list(relay, token);
    const all = await straight();
    assert.ok(ids(text).length > 0);
    assert.deepEqual(
      ids(text),
      ids(all).filter((id) => id.startsWith("claude-haiku-")),
    );
    assert.equal(JSON.parse(text).last_id, JSON.parse(all).last_id);
  });

  it("leaves out what the relay does not allow", async () => {
    const strict = await startRelay({ upstreamUrl, env: { ALLOWED_MODELS: "claude-sonnet-*" } });
    try {
      const got = ids(await list(strict, await strict.bootstrap()));
      assert.ok(got.length > 0 && got.every((id) => id.startsWith("claude-sonnet-")));
    } finally {
      await strict.stop();
    }
  });
});
