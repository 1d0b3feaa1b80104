/** People who signed in: how they are let go, what settings they get, and where their telemetry goes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { type InsideRelay, startInside } from "./harness/inside.ts";
import {
  addAnn,
  begin,
  openPage,
  password,
  poll,
  refresh,
  signIn,
  type Tokens,
} from "./harness/sign-in.ts";

const env = { GATEWAY_SIGNIN: "on" };
const setOf = (scope: string, scopeId: string | null, settings: object) => ({
  method: "PUT",
  body: { scope, ...(scopeId !== null && { scope_id: scopeId }), settings },
});

describe("a person who signed in", () => {
  let relay: InsideRelay;
  before(async () => {
    relay = await startInside({ env });
    await addAnn(relay);
  });
  after(() => relay.remove());
  beforeEach(() => relay.advance(3_600_000));

  const devicesOf = async (): Promise<readonly { id: string; user_id: string; status: string }[]> =>
    (await relay.admin("/admin/devices?limit=1000")).body.data;
  const newest = async (): Promise<string> => (await devicesOf())[0]?.id ?? "";
  const isOver = async ({ access_token, refresh_token }: Tokens) => {
    const asked = await relay.ask(access_token);
    const renewed = await refresh(relay, refresh_token);
    assert.deepEqual([asked.status, asked.body.error.type], [401, "authentication_error"]);
    assert.deepEqual([renewed.status, renewed.body.error], [401, "invalid_grant"]);
  };

  it("shows among the devices as one of theirs, and is signed out by revoking it", async () => {
    const tokens = await signIn(relay);
    const id = await newest();
    assert.match(id, /^signin-/);
    assert.equal((await devicesOf())[0]?.user_id, "ann");
    await relay.admin(`/admin/devices/${id}`, { method: "PATCH", body: { status: "revoked" } });
    await isOver(tokens);
    await relay.admin(`/admin/devices/${id}`, { method: "PATCH", body: { status: "active" } });
    await isOver(tokens);
  });

  it("is signed out everywhere by a new password, and by having none", async () => {
    const [laptop, desktop] = [await signIn(relay), await signIn(relay)];
    const set = { method: "PUT", body: { password: `${password}!` } };
    assert.equal((await relay.admin("/admin/users/ann/password", set)).status, 200);
    await isOver(laptop);
    await isOver(desktop);
    await relay.admin("/admin/users/ann/password", { method: "PUT", body: { password } });
    const last = await signIn(relay);
    assert.equal(
      (await relay.admin("/admin/users/ann/password", { method: "DELETE" })).status,
      200,
    );
    await isOver(last);
    const begun = await begin(relay);
    const browser = await openPage(relay);
    const form = { action: "approve", user_code: begun.user_code, name: "ann", password };
    assert.equal((await browser.send(form)).status, 403);
    await relay.admin("/admin/users/ann/password", { method: "PUT", body: { password } });
  });

  it("is nobody any more once the user is deleted, and their successor starts anew", async () => {
    await relay.admin("/admin/users", { body: { id: "bob" } });
    await relay.admin("/admin/users/bob/password", { method: "PUT", body: { password } });
    const tokens = await signIn(relay, "bob");
    const settings = setOf("user", "bob", { env: { BOB: "1" } });
    assert.equal((await relay.admin("/admin/managed-settings", settings)).status, 200);
    assert.equal((await relay.admin("/admin/users/bob", { method: "DELETE" })).status, 200);
    await isOver(tokens);
    await relay.admin("/admin/users", { body: { id: "bob" } });
    await isOver(tokens);
    const begun = await begin(relay);
    const browser = await openPage(relay);
    const form = { action: "approve", user_code: begun.user_code, name: "bob", password };
    assert.equal((await browser.send(form)).status, 403, "the password went with the user");
    assert.equal((await poll(relay, begun)).body.error, "authorization_pending");
    const { data } = (await relay.admin("/admin/managed-settings")).body;
    assert.deepEqual(data, []);
  });

  it("gets a password of some strength only, and only a user does", async () => {
    const put = async (user: string, body: object) => {
      const answer = await relay.admin(`/admin/users/${user}/password`, { method: "PUT", body });
      return [answer.status, answer.body.error?.message ?? ""];
    };
    await relay.admin("/admin/users", { body: { id: "Anna" } });
    for (const weak of ["short", "aaaaaaaaaaaaaaaa", "all of hannah's", "x".repeat(1025)]) {
      const [status, message] = await put("Anna", { password: weak });
      assert.equal(status, 400, weak);
      assert.match(message, /^password: /);
      assert.ok(!message.includes(weak));
    }
    assert.equal((await put("ann", { password: "a channel of planning" }))[0], 200, "by chance");
    assert.equal((await put("ann", { password }))[0], 200);
    assert.equal((await put("nobody", { password }))[0], 404);
    assert.equal((await put("ann", { passwort: password }))[0], 400);
    assert.equal(
      (await relay.call("/admin/users/ann/password", { method: "PUT", body: {} })).status,
      401,
    );
  });

  it("gets the most specific managed settings, and 304 until they change", async () => {
    const { access_token: token } = await signIn(relay);
    const ask = (headers = {}) => relay.call("/managed/settings", { token, headers });
    assert.equal((await ask()).status, 404);
    const put = (scope: string, id: string | null, settings: object) =>
      relay.admin("/admin/managed-settings", setOf(scope, id, settings));
    await put("relay", null, { level: "relay" });
    assert.equal((await ask()).body.settings.level, "relay");
    await put("organization", "lab", { level: "lab" });
    assert.equal((await ask()).body.settings.level, "lab");
    await put("user", "ann", { level: "ann", permissions: { deny: ["WebFetch"] } });
    const first = await ask();
    assert.deepEqual(first.body.settings, { level: "ann", permissions: { deny: ["WebFetch"] } });
    assert.match(first.body.checksum, /^sha256:[0-9a-f]{64}$/);
    assert.equal(first.headers.get("etag"), `"${first.body.checksum}"`);
    for (const tag of [
      `"${first.body.checksum}"`,
      first.body.checksum,
      `W/"${first.body.checksum}"`,
    ]) {
      const again = await ask({ "if-none-match": tag });
      assert.deepEqual([again.status, again.text], [304, ""]);
    }
    await put("user", "ann", {});
    const empty = await ask({ "if-none-match": `"${first.body.checksum}"` });
    assert.deepEqual([empty.status, empty.body.settings], [200, {}]);
    assert.equal(empty.body.uuid, first.body.uuid);
    for (const query of [
      "scope=user&scope_id=ann",
      "scope=organization&scope_id=lab",
      "scope=relay",
    ]) {
      const gone = await relay.admin(`/admin/managed-settings?${query}`, { method: "DELETE" });
      assert.equal(gone.status, 200);
    }
    assert.equal((await ask()).status, 404);
    assert.equal((await relay.call("/managed/settings")).status, 401);
    assert.equal((await relay.call("/user/bootstrap", { token })).status, 404);
  });

  it("cannot be given settings that are no settings", async () => {
    const put = async (body: object) => {
      const answer = await relay.admin("/admin/managed-settings", { method: "PUT", body });
      return answer.status;
    };
    assert.equal(await put({ scope: "user", scope_id: "nobody", settings: {} }), 400);
    assert.equal(await put({ scope: "relay", scope_id: "x", settings: {} }), 400);
    assert.equal(await put({ scope: "user", settings: {} }), 400);
    assert.equal(await put({ scope: "relay", settings: [] }), 400);
    assert.equal(await put({ scope: "relay", settings: "{}" }), 400);
    assert.equal(await put({ scope: "device", scope_id: "x", settings: {} }), 400);
    assert.equal(await put({ scope: "relay", settings: { x: "y".repeat(70_000) } }), 413);
  });

  it("has telemetry answered 200 whatever it is, and nobody else has", async () => {
    const { access_token: token } = await signIn(relay);
    const send = (path: string, body: Uint8Array | string, type: string) =>
      relay.call(path, { method: "POST", token, headers: { "content-type": type }, body });
    const marker = "prompt-text-in-telemetry";
    for (const path of ["/v1/metrics", "/v1/logs", "/v1/traces"]) {
      const json = await send(path, `{"${marker}`, "application/json");
      assert.deepEqual([json.status, json.text], [200, "{}"]);
      const binary = await send(path, Buffer.from(marker), "application/x-protobuf");
      assert.deepEqual([binary.status, binary.text], [200, ""]);
      assert.equal(binary.headers.get("content-type"), "application/x-protobuf");
    }
    const large = Buffer.alloc(5 * 1024 * 1024, marker);
    assert.equal((await send("/v1/logs", large, "application/x-protobuf")).status, 200);
    const stranger = await relay.call("/v1/logs", { method: "POST", body: "{}" });
    assert.deepEqual([stranger.status, stranger.body.error.type], [401, "authentication_error"]);
    assert.match(stranger.body.request_id, /^req_/);
    assert.ok(!relay.logs.join("\n").includes(marker));
  });
});

describe("telemetry of people who signed in", () => {
  it("is passed on to the collector as it came, without the credential, one try each", async (t) => {
    const seen: { url: string; headers: IncomingMessage["headers"]; body: string }[] = [];
    const status = { code: 200 };
    const collector = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
      }
      const body = Buffer.concat(chunks).toString();
      seen.push({ url: request.url ?? "", headers: request.headers, body });
      response.writeHead(status.code).end();
      collector.emit("seen");
    }).listen(0, "127.0.0.1");
    await once(collector, "listening");
    t.after(() => collector.close());
    const { port } = collector.address() as AddressInfo;
    const relay = await startInside({
      env: { ...env, OTLP_RELAY_URL: `http://127.0.0.1:${port}/otlp/` },
    });
    t.after(() => relay.remove());
    await addAnn(relay);
    const { access_token: token } = await signIn(relay);
    const headers = { "content-type": "application/x-protobuf", "content-encoding": "gzip" };
    const send = async (body: string) => {
      const arrived = once(collector, "seen");
      const answer = await relay.call("/v1/metrics", { method: "POST", token, headers, body });
      await arrived;
      return answer.status;
    };
    assert.equal(await send("one"), 200);
    status.code = 503;
    assert.equal(await send("two"), 200);
    status.code = 200;
    assert.equal(await send("three"), 200);
    assert.deepEqual(
      seen.map(({ body }) => body),
      ["one", "two", "three"],
    );
    const [first] = seen;
    assert.equal(first?.url, "/otlp/v1/metrics");
    assert.equal(first?.headers["content-encoding"], "gzip");
    assert.equal(first?.headers.authorization, undefined);
    const warnings = relay.logs.filter((line) => line.includes("OTLP_RELAY_URL"));
    assert.equal(warnings.length, 1);
    collector.closeAllConnections();
    collector.close();
    await once(collector, "close");
    const away = await relay.call("/v1/metrics", { method: "POST", token, headers, body: "four" });
    assert.equal(away.status, 200);
  });
});
