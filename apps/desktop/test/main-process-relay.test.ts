/** The main process against a relay that is away, waits, or turns it away. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tempFolder } from "../../../test/harness/temp-folder.ts";
import { connect, deskOf, devicesOf, relayOf, setStatus } from "./harness/main-process.ts";
import { startShell, tokenIn } from "./harness/shell.ts";
import { shortLivedTokens } from "./harness/short-lived-tokens.ts";

describe("the main process while the relay", () => {
  it("is away shows it, and that messages may get through; and finds it by itself when it is back", async (t) => {
    const dataDir = tempFolder(t);
    const relay = await relayOf(t, {}, dataDir);
    const shell = startShell(t, deskOf(t));
    await connect(shell, relay.url);
    await shell.connected("ready");
    await relay.stop();
    await shell.call("relay.retry", {});
    const offline = await shell.connected("offline");
    assert.equal(offline.canChat, true);
    assert.match(offline.message, /No connection to the relay.*does it run/);
    assert.ok(offline.retryAt > 0);
    await relayOf(t, { PORT: String(relay.port) }, dataDir);
    await shell.connected("ready");
    assert.equal(await shell.end(), 0);
  });

  it("is away at the start shows it, and is connected to when it comes", async (t) => {
    const dataDir = tempFolder(t);
    const relay = await relayOf(t, {}, dataDir);
    await relay.stop();
    const shell = startShell(t, deskOf(t), { CLAUDE_RELAY_URL: relay.url });
    const offline = await shell.connected("offline");
    assert.equal(offline.canChat, false);
    await relayOf(t, { PORT: String(relay.port) }, dataDir);
    await shell.call("relay.retry", {});
    await shell.connected("ready");
    assert.equal(await shell.end(), 0);
  });

  it("waits for an operator's approval shows what to compare, and is in after it", async (t) => {
    const relay = await relayOf(t, { BOOTSTRAP: "approve" });
    const shell = startShell(t, deskOf(t));
    await connect(shell, relay.url);
    const { deviceId, fingerprint } = await shell.connected("waiting_for_approval");
    const [device] = await devicesOf(relay);
    assert.equal(device?.["id"], deviceId);
    assert.match(fingerprint, /^[0-9a-f]{4}(-[0-9a-f]{4}){3}$/);
    assert.ok(JSON.stringify(device).includes(fingerprint));
    await relay.admin(`/admin/devices/${deviceId}/approve`, { method: "POST" });
    await shell.call("relay.retry", {});
    await shell.connected("ready");
    assert.equal(await shell.end(), 0);
  });

  it("denies the approval says so and the way out", async (t) => {
    const relay = await relayOf(t, { BOOTSTRAP: "approve" });
    const shell = startShell(t, deskOf(t));
    await connect(shell, relay.url);
    const { deviceId } = await shell.connected("waiting_for_approval");
    await setStatus(relay, deviceId, "revoked");
    await shell.call("relay.retry", {});
    const denied = await shell.connected("signed_out");
    assert.equal(denied.wantsCode, false);
    assert.match(denied.message, /revoked.*operator.*try again.*choose Sign out/);
    await shell.call("relay.disconnect", {});
    await shell.connected("unconfigured");
    await connect(shell, relay.url);
    const again = await shell.connected("waiting_for_approval");
    assert.notEqual(again.deviceId, deviceId);
    assert.equal(await shell.end(), 0);
  });

  it("turned the device away and takes it back is connected to as soon as the user tries again", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t);
    const first = startShell(t, desk);
    await connect(first, relay.url);
    await first.connected("ready");
    await first.end();
    const [device] = await devicesOf(relay);
    const id = String(device?.["id"]);
    await setStatus(relay, id, "disabled");
    desk.keychain?.delete(`token ${relay.url}`);
    const shell = startShell(t, desk);
    assert.match((await shell.connected("signed_out")).message, /disabled.*try again/);
    await setStatus(relay, id, "active");
    await shell.call("relay.retry", {});
    assert.equal(shell.connection?.kind, "ready");
    assert.equal(await shell.end(), 0);
  });

  it("has revoked the device shows that as soon as a request tells", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t);
    const first = startShell(t, desk);
    await connect(first, relay.url);
    await first.connected("ready");
    await first.end();
    const [device] = await devicesOf(relay);
    await setStatus(relay, String(device?.["id"]), "revoked");
    const shell = startShell(t, desk);
    await shell.connected("ready");
    await assert.rejects(shell.call("models.list", {}));
    const out = await shell.connected("signed_out");
    assert.match(out.message, /revoked/);
    assert.equal(tokenIn(desk, relay.url), undefined);
    assert.equal(await shell.end(), 0);
  });

  it("has revoked only the token signs the device in again by itself", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t);
    const first = startShell(t, desk);
    await connect(first, relay.url);
    await first.connected("ready");
    await first.end();
    const [device] = await devicesOf(relay);
    const revoked = tokenIn(desk, relay.url);
    await relay.admin(`/admin/devices/${device?.["id"]}/revoke-tokens`, { method: "POST" });
    const shell = startShell(t, desk);
    await shell.connected("ready");
    await shell.call("models.list", {}).catch(() => undefined);
    await shell.until(() => tokenIn(desk, relay.url) !== revoked);
    await shell.until(() => /bootstrapped successfully/.test(shell.stderr));
    assert.ok((await shell.call("models.list", {})).length > 0);
    assert.equal(await shell.end(), 0);
  });

  it("wants a newer app says so", async (t) => {
    const relay = await relayOf(t, { MIN_APP_VERSION: "99.0.0" });
    const shell = startShell(t, deskOf(t));
    await connect(shell, relay.url);
    const { message } = await shell.connected("update_needed");
    assert.match(message, /99\.0\.0.*Update the app/);
    assert.equal(await shell.end(), 0);
  });

  it("is away when a request is made shows it at once", async (t) => {
    const relay = await relayOf(t);
    const shell = startShell(t, deskOf(t));
    await connect(shell, relay.url);
    await shell.connected("ready");
    await relay.stop();
    await assert.rejects(shell.call("usage.get", {}));
    assert.equal((await shell.connected("offline")).canChat, true);
    assert.equal(await shell.end(), 0);
  });

  it("renews the token in the background, and the window hears of it", async (t) => {
    const relay = await relayOf(t);
    const door = await shortLivedTokens(relay.url, 8);
    t.after(() => door.close());
    const desk = deskOf(t);
    const shell = startShell(t, desk);
    await connect(shell, door.url);
    await shell.connected("ready");
    const old = tokenIn(desk, door.url);
    await shell.until(() => /token refreshed successfully/.test(shell.stderr));
    await shell.connected("ready");
    assert.notEqual(tokenIn(desk, door.url), old);
    assert.deepEqual(door.asked, ["/bootstrap", "/refresh"]);
    const kinds = shell.events.map((event) =>
      event.type === "connection_changed" ? event.connection.kind : event.type,
    );
    assert.ok(kinds.includes("refreshing"), kinds.join());
    assert.equal(await shell.end(), 0);
  });

  it("is changed for another one is not asked any more", async (t) => {
    const [one, other] = [await relayOf(t), await relayOf(t)];
    const desk = deskOf(t);
    const shell = startShell(t, desk);
    await connect(shell, one.url);
    await shell.connected("ready");
    await connect(shell, other.url);
    await shell.until(
      () => shell.connection?.kind === "ready" && shell.connection.relayUrl === other.url,
    );
    await one.stop();
    assert.ok((await shell.call("models.list", {})).length > 0);
    assert.equal(await shell.end(), 0);
    const again = startShell(t, desk);
    assert.equal((await again.connected("ready")).relayUrl, other.url);
    assert.equal(await again.end(), 0);
  });

  it("is changed and let go in one breath ends as the last call says", async (t) => {
    const [one, other] = [await relayOf(t), await relayOf(t)];
    const desk = deskOf(t);
    const shell = startShell(t, desk);
    await Promise.all([
      connect(shell, one.url),
      connect(shell, other.url),
      shell.call("relay.retry", {}),
      shell.call("relay.disconnect", {}),
    ]);
    assert.equal((await shell.call("state.get", {})).connection.kind, "unconfigured");
    assert.equal(tokenIn(desk, other.url), undefined);
    await connect(shell, one.url);
    assert.equal((await shell.connected("ready")).relayUrl, one.url);
    assert.equal(await shell.end(), 0);
  });
});
