import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it, type TestContext } from "node:test";
import { configFolder } from "@claude-relay/client/device/kept-token";
import { readConnectedRelays } from "./connected-relays.ts";
import { isUsedByDesktopApp } from "./desktop-app.ts";
import { runCli, startTestRelay } from "./test-relay.ts";

const folderWith = (t: TestContext, text: string | null): string => {
  const folder = mkdtempSync(join(tmpdir(), "desktop-app-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "desktop"));
  if (text !== null) {
    writeFileSync(join(folder, "desktop", "settings.json"), text);
  }
  return folder;
};

it("a sign-in is shared with the desktop app when both use one relay and the keychain", (t) => {
  const url = "https://relay.example.com";
  const kept = (relay_url: unknown) =>
    JSON.stringify({ theme: "system", default_model: null, relay_url });
  const same = folderWith(t, kept(url));
  assert.equal(isUsedByDesktopApp(same, { url, store: "keychain" }), true);
  assert.equal(isUsedByDesktopApp(same, { url, store: "file" }), false);
  const spelled = folderWith(t, kept("https://Relay.example.com/"));
  assert.equal(isUsedByDesktopApp(spelled, { url, store: "keychain" }), true);
  for (const text of [kept("https://other.example"), kept(null), kept(7), "{", "[]", null]) {
    assert.equal(isUsedByDesktopApp(folderWith(t, text), { url, store: "keychain" }), false);
  }
});

it("connect --undo leaves the desktop app its sign-in, and says so", async (t) => {
  const url = "https://relay.example.com";
  const home = mkdtempSync(join(tmpdir(), "desktop-app-"));
  t.after(() => rmSync(home, { recursive: true }));
  const env = { HOME: home, APPDATA: home };
  const folder = configFolder(env, process.platform, home);
  mkdirSync(join(folder, "desktop"), { recursive: true });
  writeFileSync(join(folder, "desktop", "settings.json"), JSON.stringify({ relay_url: url }));
  const relays = { default: url, relays: { [url]: { store: "keychain", made: true } } };
  writeFileSync(join(folder, "relays.json"), JSON.stringify(relays), { mode: 0o600 });
  // There is no keychain here: to forget the sign-in would fail.
  const { code, stderr } = await runCli(["connect", "--undo"], env);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /stays signed in at https:\/\/relay\.example\.com: the desktop app/);
  assert.deepEqual(readConnectedRelays(folder).all, []);
});

it("connect without a keychain says first what works", {
  skip: process.platform !== "linux",
}, async (t) => {
  const home = mkdtempSync(join(tmpdir(), "desktop-app-"));
  t.after(() => rmSync(home, { recursive: true }));
  const relay = await startTestRelay(t, ({ path }) => ({
    status: 200,
    body:
      path === "/healthz"
        ? { status: "ok", timestamp: "2026-11-21T03:07:09Z" }
        : { status: "healthy", version: "1", upstream: "x" },
  }));
  const env = { HOME: home, DBUS_SESSION_BUS_ADDRESS: "unix:path=/nowhere" };
  const { code, stderr } = await runCli(["connect", relay.url], env);
  assert.equal(code, 1);
  assert.match(stderr, /No keychain can be used here\. .*--store file.*unlock it\. \(.*\)$/m);
});
