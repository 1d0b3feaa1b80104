import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startRelay } from "./harness/relay.ts";

describe("a device that registered a key", () => {
  it("gets its token, but cannot renew it without a signature, and the refusal is audited", async (t) => {
    const relay = await startRelay();
    t.after(() => relay.stop());
    const post = (path: string, headers: Record<string, string>, body?: object) =>
      fetch(`${relay.url}${path}`, {
        method: "POST",
        headers: { ...headers, ...(body && { "content-type": "application/json" }) },
        ...(body && { body: JSON.stringify(body) }),
      });
    const enrolled = await post(
      "/bootstrap",
      {},
      { device_id: "keyed-device-1", device_public_key: "MCowBQYDK2VwAyEA" },
    );
    assert.equal(enrolled.status, 200);
    const { wrapper_token } = (await enrolled.json()) as { wrapper_token: string };
    const authorization = `Bearer ${wrapper_token}`;
    const refused = await post("/refresh", { authorization });
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /registered a key/);
    const { body } = await relay.admin("/admin/audit?action=device.refresh");
    assert.deepEqual(
      body.data.map((row: { outcome: string }) => row.outcome),
      ["forbidden"],
    );
    // The token itself lives on until its expiry.
    const usage = await fetch(`${relay.url}/admin/usage`, { headers: { authorization } });
    assert.equal(usage.status, 200);
  });
});
