/** The packaged app at relays that do not let everybody in. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { desktopMissing } from "./harness/missing.ts";
import { setScene } from "./harness/scene.ts";

describe("the desktop app at a relay that", { skip: desktopMissing }, () => {
  it("wants an enrollment code says so, names a wrong one, and takes the right one", async (t) => {
    const { relay, open, look } = await setScene(t, { relay: { env: { BOOTSTRAP: "code" } } });
    const app = await open();
    const { page } = app;
    await page.type("address", relay.url);
    await page.click("connect");
    await page.shows("refusal", /enrollment code/i);
    await look(app, "code-wanted");
    await page.type("code", "00000-00000-00000-00000");
    await page.click("connect");
    await page.shows("refusal", /does not know this enrollment code/);
    await look(app, "code-wrong");
    const { body } = await relay.admin("/admin/enrollment-codes", { method: "POST", body: "{}" });
    await page.clear("code");
    await page.type("code", body.enrollment_code);
    await page.click("connect");
    await page.shows("composer");
  });

  it("gave out a link is joined by pasting it", async (t) => {
    const { relay, open } = await setScene(t, { relay: { env: { BOOTSTRAP: "code" } } });
    const { body } = await relay.admin("/admin/enrollment-codes", { method: "POST", body: "{}" });
    const { page } = await open();
    await page.paste("address", `${relay.url}/#code=${body.enrollment_code}`);
    await page.click("connect");
    await page.shows("composer");
  });

  it("approves by hand shows the same fingerprint on both sides, and goes on by itself", async (t) => {
    const { relay, open, look } = await setScene(t, { relay: { env: { BOOTSTRAP: "approve" } } });
    const app = await open();
    const { page } = app;
    await page.type("address", relay.url);
    await page.click("connect");
    await page.shows("waiting");
    const shown = await page.shows("fingerprint", /^[0-9a-f]{16}$/);
    await look(app, "waiting-for-approval");
    const [device] = (await relay.admin("/admin/devices")).body.data;
    assert.equal(shown, device.device_key_fingerprint.replaceAll("-", ""));
    const approved = await relay.admin(`/admin/devices/${device.id}/approve`, {
      method: "POST",
      body: JSON.stringify({ device_key_fingerprint: device.device_key_fingerprint }),
    });
    assert.equal(approved.status, 200);
    await page.shows("composer");
  });

  it("is not there, or is none, is told from one that is", async (t) => {
    const { relay, upstream, open, look } = await setScene(t);
    const app = await open();
    const { page } = app;
    for (const [address, says] of [
      ["http://127.0.0.1:9", /./],
      [upstream.url, /./],
      ["http://example.com", /http/],
      ["ftp://relay", /./],
    ] as const) {
      await page.clear("address");
      await page.type("address", address);
      await page.click("connect");
      const words = await page.shows("connect-fault", says);
      t.diagnostic(`${address}: ${words}`);
      assert.equal(await page.has("composer"), false);
    }
    await look(app, "no-relay-there");
    await page.clear("address");
    await page.type("address", relay.url);
    await page.click("connect");
    await page.shows("composer");
  });
});
