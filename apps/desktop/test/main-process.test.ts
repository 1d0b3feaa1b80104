/** The main process as a shell starts it, against a real relay on the simulator: first launch, later starts. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { tempFolder } from "../../../test/harness/temp-folder.ts";
import { startTlsFront } from "../../../test/harness/tls-front.ts";
import {
  connect,
  count,
  deskOf,
  devicesOf,
  fault,
  mintCode,
  relayOf,
  withRelay,
  withSettings,
} from "./harness/main-process.ts";
import { startShell, tokenIn } from "./harness/shell.ts";

describe("the main process at first launch", () => {
  it("says it is ready, asks for an address, connects with it, and says so in the four lines", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t);
    const shell = startShell(t, desk);
    const state = await shell.call("state.get", {});
    assert.equal(shell.output[0], '{"type":"ready"}');
    assert.deepEqual(state, {
      appVersion: "0.1.0",
      deviceName: hostname(),
      connection: { kind: "unconfigured" },
      settings: { theme: "system", defaultModel: null },
      notices: [],
      fixedAddress: null,
    });
    await connect(shell, relay.url);
    const ready = await shell.connected("ready");
    assert.equal(ready.relayUrl, relay.url);
    assert.ok(ready.expiresAt > Date.now());
    assert.deepEqual(shell.stderr.trimEnd().split("\n"), [
      "Bootstrapping proxy configuration...",
      "Proxy token bootstrapped successfully",
      "Proxy is healthy and ready",
      "Starting proxy token refresh service",
    ]);
    const [device] = await devicesOf(relay);
    assert.equal(device?.["app_version"], "0.1.0");
    const models = await shell.call("models.list", {});
    assert.ok(models.length > 0);
    assert.equal(await shell.end(), 0);
  });

  it("trusts no certificate of a stranger's, though the environment has other programs do so", async (t) => {
    const relay = await relayOf(t);
    const front = await startTlsFront(tempFolder(t));
    t.after(() => front.close());
    front.pointAt(relay.port);
    const shell = startShell(t, deskOf(t), { NODE_TLS_REJECT_UNAUTHORIZED: "0" });
    await assert.rejects(
      connect(shell, front.url),
      fault("failed", /certificate that is not to be trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)/),
    );
    assert.deepEqual(await devicesOf(relay), []);
  });

  it("takes an address without its scheme, and an operator's link with the code in it", async (t) => {
    const relay = await relayOf(t, { BOOTSTRAP: "code" });
    const shell = startShell(t, deskOf(t));
    const code = await mintCode(relay);
    await connect(shell, `127.0.0.1:${relay.port}/#code=${code}`);
    assert.equal((await shell.connected("ready")).relayUrl, relay.url);
    assert.equal(await shell.end(), 0);
  });

  it("with a code comes in; without one, or with a bad one, it says what is wanted", async (t) => {
    const relay = await relayOf(t, { BOOTSTRAP: "code" });
    const shell = startShell(t, deskOf(t));
    await connect(shell, relay.url);
    const asked = await shell.connected("signed_out");
    assert.equal(asked.wantsCode, true);
    assert.match(asked.message, /enrollment code.*operator.*sign in with it/);
    await connect(shell, relay.url, "crc_nosuchcode");
    const wrong = await shell.connected("signed_out");
    assert.equal(wrong.wantsCode, true);
    assert.deepEqual([asked.hasWrongCode, wrong.hasWrongCode], [undefined, true]);
    assert.match(wrong.message, /does not know this enrollment code/);
    const code = await mintCode(relay);
    await connect(shell, relay.url, code);
    await shell.connected("ready");
    assert.equal(await shell.end(), 0);
    const other = startShell(t, deskOf(t));
    await connect(other, relay.url, code);
    assert.match((await other.connected("signed_out")).message, /is used up.*new one/);
    const { body } = await relay.admin("/admin/enrollment-codes", { method: "POST", body: "{}" });
    await relay.admin(`/admin/enrollment-codes/${body.id}`, { method: "DELETE" });
    await connect(other, relay.url, body.enrollment_code);
    await other.until(() => /is revoked/.test(JSON.stringify(other.connection)));
    const expired = await relay.admin("/admin/enrollment-codes", {
      method: "POST",
      body: JSON.stringify({ expires_in_hours: 0.000_000_1 }),
    });
    await connect(other, relay.url, expired.body.enrollment_code);
    await other.until(() => /is expired.*a new one/.test(JSON.stringify(other.connection)));
    const all = [shell, other].flatMap(({ output, stderr }) => [...output, stderr]).join("\n");
    assert.ok(!all.includes(code));
    assert.equal(await other.end(), 0);
  });

  it("takes no part of an address that is none, is public http, or holds more than an address", async (t) => {
    const shell = startShell(t, deskOf(t));
    for (const [address, says] of [
      ["http://relay.example.com", /public host.*Use https/],
      ["ftp://relay.example.com", /^The address must be an address that begins with https/],
      ["https://", /^The address must be/],
      ["   ", /give its address/],
      ["https://me:secret@relay.example.com", /no user name, password/],
      ["https://relay.example.com/v1", /must not contain \/v1/],
    ] as const) {
      await assert.rejects(connect(shell, address), fault("invalid_params", says), address);
    }
    assert.deepEqual(
      shell.events.filter(({ type }) => type === "connection_changed"),
      [],
    );
    assert.equal(await shell.end(), 0);
  });

  it("says what is wrong with an address where no relay is, and keeps the one it has", async (t) => {
    const relay = await relayOf(t);
    const shell = startShell(t, deskOf(t));
    const stranger = createServer((request, response) => {
      const status = Number(new URL(request.url ?? "", "http://x").pathname.split("/")[1]) || 200;
      response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("<h1>It works!</h1>");
    });
    await new Promise<void>((resolve) => stranger.listen(0, "127.0.0.1", resolve));
    const strange = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
    await connect(shell, relay.url);
    await shell.until(() => /"isSimulated":true/.test(JSON.stringify(shell.connection ?? null)));
    const before = shell.events.length;
    for (const [address, says] of [
      [strange, /is not a claude-relay.*Check the address/],
      [`${strange}/404`, /status 404.*is not a claude-relay/],
      [`${strange}/302`, /sends callers on.*not followed/],
      [`${strange}/502`, /not well \(status 502\).*Try again/],
    ] as const) {
      await assert.rejects(connect(shell, address), fault("failed", says), address);
    }
    stranger.closeAllConnections();
    await new Promise((resolve) => stranger.close(resolve));
    await assert.rejects(
      connect(shell, strange),
      fault("failed", /No connection to .*ECONNREFUSED.*Check the address and your network/),
    );
    assert.equal(shell.events.length, before);
    assert.equal((await shell.call("state.get", {})).connection.kind, "ready");
    assert.equal(await shell.end(), 0);
  });
});

describe("the main process at a later start", () => {
  it("is signed in as before, and asks for no second token", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t);
    const first = startShell(t, desk);
    await connect(first, relay.url);
    await first.connected("ready");
    const token = tokenIn(desk, relay.url);
    assert.ok(token.length > 20);
    assert.equal(await first.end(), 0);
    const second = startShell(t, desk);
    await second.connected("ready");
    await second.until(() => /Starting proxy token refresh service/.test(second.stderr));
    assert.equal(tokenIn(desk, relay.url), token);
    assert.equal(count(second.stderr, "Bootstrapping proxy configuration..."), 0);
    assert.equal((await devicesOf(relay)).length, 1);
    assert.equal(await second.end(), 0);
  });

  it("without a keychain says so, keeps no token on disk, and is the same device with a new one", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t, null);
    for (const _ of ["first", "second"]) {
      const shell = startShell(t, desk);
      await shell.until(() => /No system keychain found/.test(shell.stderr));
      const { notices, connection } = await shell.call("state.get", {});
      assert.match(notices[0] ?? "", /No system keychain found.*in memory.*renewed at each start/);
      if (connection.kind === "unconfigured") {
        await connect(shell, relay.url);
      }
      await shell.connected("ready");
      assert.equal(count(shell.stderr, "Bootstrapping proxy configuration..."), 1);
      assert.equal(await shell.end(), 0);
      const files = readdirSync(dirname(shell.folder), { recursive: true, withFileTypes: true });
      for (const file of files.filter((one) => one.isFile())) {
        const text = readFileSync(join(file.parentPath, file.name), "utf8");
        assert.doesNotMatch(text, /eyJ|seed/, file.name);
      }
    }
    assert.equal((await devicesOf(relay)).length, 1);
  });

  it("with a keychain that stays locked asks for a code, in plain words", async (t) => {
    const relay = await relayOf(t, { BOOTSTRAP: "code" });
    const desk = withRelay(deskOf(t), relay.url);
    const shell = startShell(t, desk);
    shell.keychainHangs = /./;
    assert.equal((await shell.call("state.get", {})).connection.kind, "connecting");
    const listed = shell.call("conversations.list", {});
    await shell.until(() => shell.output.some((line) => line.includes("secret_get")));
    shell.dismissPrompt();
    assert.deepEqual(await listed, []);
    const asked = await shell.connected("signed_out");
    assert.equal(asked.wantsCode, true);
    const { notices, connection } = await shell.call("state.get", {});
    assert.deepEqual(connection, asked);
    assert.match(notices[0] ?? "", /^The system keychain stayed locked\. Unlock it/);
    assert.equal(await shell.end(), 0);
  });

  it("puts a damaged settings file aside, says so, and starts anew", async (t) => {
    for (const text of ["{", "[]", '{"theme":"pink","default_model":null,"relay_url":null}']) {
      const shell = startShell(t, withSettings(deskOf(t), text));
      const { notices, settings } = await shell.call("state.get", {});
      assert.match(notices[0] ?? "", /settings file was damaged.*settings\.damaged\.json.*anew/);
      assert.deepEqual(settings, { theme: "system", defaultModel: null });
      assert.equal(readFileSync(join(shell.folder, "settings.damaged.json"), "utf8"), text);
      assert.deepEqual(await shell.call("settings.set", { theme: "dark" }), {
        theme: "dark",
        defaultModel: null,
      });
      assert.equal(await shell.end(), 0);
    }
  });

  it("does not use an address in the settings that nobody could have entered", async (t) => {
    const text = '{"theme":"dark","default_model":null,"relay_url":"http://relay.example.com"}';
    const shell = startShell(t, withSettings(deskOf(t), text));
    const { notices, settings, connection } = await shell.call("state.get", {});
    assert.match(notices[0] ?? "", /cannot be used: it is http.*public host/);
    assert.equal(settings.theme, "dark");
    assert.equal(connection.kind, "unconfigured");
    assert.equal(await shell.end(), 0);
  });

  it("remembers the settings, in a file of the user's alone", async (t) => {
    const desk = deskOf(t);
    const first = startShell(t, desk);
    await first.call("settings.set", { theme: "light", defaultModel: "claude-haiku-4-5" });
    assert.equal(await first.end(), 0);
    assert.equal(statSync(join(first.folder, "settings.json")).mode & 0o777, 0o600);
    assert.equal(statSync(first.folder).mode & 0o777, 0o700);
    const second = startShell(t, desk);
    assert.deepEqual((await second.call("state.get", {})).settings, {
      theme: "light",
      defaultModel: "claude-haiku-4-5",
    });
    assert.equal(await second.end(), 0);
  });
});

describe("the main process and the environment", () => {
  it("connects to the relay that PROXY_BOOTSTRAP_URL names, and to no other", async (t) => {
    const relay = await relayOf(t);
    const shell = startShell(t, deskOf(t), {
      ENABLE_PROXY: "true",
      PROXY_BOOTSTRAP_URL: `${relay.url}/bootstrap`,
      PROXY_HEALTH_URL: `${relay.url}/healthz`,
    });
    await shell.connected("ready");
    assert.equal((await shell.call("state.get", {})).fixedAddress, relay.url);
    await assert.rejects(
      connect(shell, "https://relay.example.com"),
      fault("invalid_params", /PROXY_BOOTSTRAP_URL.*fixes the relay's address/),
    );
    await shell.call("relay.disconnect", {});
    await shell.connected("unconfigured");
    await connect(shell, relay.url);
    await shell.connected("ready");
    assert.equal(await shell.end(), 0);
  });

  it("chats though PROXY_HEALTH_URL is wrong, says so, and still sees when the relay goes away", async (t) => {
    const relay = await relayOf(t);
    const healthUrl = `${relay.url}/no-such-page`;
    const shell = startShell(t, deskOf(t), {
      PROXY_BOOTSTRAP_URL: `${relay.url}/bootstrap`,
      PROXY_HEALTH_URL: healthUrl,
    });
    await shell.until(() => /"isSimulated":true/.test(JSON.stringify(shell.connection ?? null)));
    const { notices, connection } = await shell.call("state.get", {});
    assert.equal(connection.kind, "ready");
    assert.ok(notices.some((notice) => notice.startsWith(`PROXY_HEALTH_URL (${healthUrl}) does`)));
    await relay.stop();
    await shell.call("relay.retry", {});
    await shell.connected("offline");
    const later = await shell.call("state.get", {});
    assert.equal(later.notices.length, notices.length);
    assert.equal(await shell.end(), 0);
  });

  it("uses none of it where ENABLE_PROXY is false", async (t) => {
    const shell = startShell(t, deskOf(t), {
      ENABLE_PROXY: "false",
      PROXY_BOOTSTRAP_URL: "http://127.0.0.1:1/bootstrap",
    });
    const { connection, fixedAddress, notices } = await shell.call("state.get", {});
    assert.deepEqual(
      { connection, fixedAddress, notices },
      { connection: { kind: "unconfigured" }, fixedAddress: null, notices: [] },
    );
    assert.equal(await shell.end(), 0);
  });

  it("says what is wrong with an address that it may not use", async (t) => {
    const shell = startShell(t, deskOf(t), { PROXY_BOOTSTRAP_URL: "http://relay.example.com" });
    const { connection, fixedAddress, notices } = await shell.call("state.get", {});
    assert.equal(connection.kind, "unconfigured");
    assert.equal(fixedAddress, null);
    assert.match(notices[0] ?? "", /PROXY_BOOTSTRAP_URL is http.*public host.*Use https/);
    assert.equal(await shell.end(), 0);
  });
});
