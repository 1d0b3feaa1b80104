/** Whatever is wrong with a request: a 4xx in Anthropic's words, and upstream never hears of it. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { type InsideRelay, question, startInside } from "./harness/inside.ts";
import { sendRaw } from "./harness/raw-http.ts";
import { assertRefused, assertUpstreamUnasked, invalid } from "./harness/refused.ts";

const tooLarge = { status: 413, type: "request_too_large", says: /MAX_PAYLOAD_SIZE/ };
const unsupported = (says: RegExp) => ({ status: 415, type: "invalid_request_error", says });
const notFound = (says: RegExp) => ({ status: 404, type: "not_found_error", says });
const good = JSON.stringify(question);

describe("bad input", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({ env: { MAX_PAYLOAD_SIZE: "64KiB", RATE_LIMIT_MAX: "100000" } });
    token = await relay.bootstrap();
  });
  after(() => relay.remove());
  afterEach(() => assertUpstreamUnasked(relay));

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    relay.call("/v1/messages", { token, body, headers });

  const bodies: readonly [what: string, body: string | Buffer, says: RegExp][] = [
    ["an empty body", "", /body is empty: send a JSON object/],
    ["a body that is no JSON", "hello", /must be a JSON object/],
    ["JSON cut short", good.slice(0, -1), /not usable JSON.*byte \d+.*send valid JSON/],
    ["something after the object", `${good}{}`, /something follows the object/],
    ["an array", "[]", /must be a JSON object/],
    ["a trailing comma", good.replace(/}$/, ",}"), /send valid JSON/],
    ["a missing model", '{"max_tokens":1,"messages":[]}', /^model: a model id is required/],
    ["a model that is no string", '{"model":1,"max_tokens":1,"messages":[]}', /model/],
    ["a missing max_tokens", '{"model":"claude-haiku-4-5","messages":[]}', /^max_tokens: required/],
    ["a repeated key", good.replace("{", '{"model":"x",'), /^model: given more than once/],
    [
      "a key repeated behind an escape",
      good.replace("{", '{"\\u006dodel":"x",'),
      /^model: given more than once/,
    ],
    ["a key in another case", good.replace("{", '{"Model":"x",'), /spell it exactly "model"/],
    ["a shouted key", good.replace("{", '{"MAX_TOKENS":9,'), /spell it exactly "max_tokens"/],
    ["a repeated stream", good.replace("{", '{"stream":true,"stream":false,'), /^stream: given/],
    ["a byte order mark", `\ufeff${good}`, /byte order mark: send UTF-8 without one/],
    [
      "bytes that are no UTF-8",
      Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from([0xff, 0x7d])]),
      /not valid UTF-8/,
    ],
    ["UTF-16", Buffer.from(good, "utf16le"), /JSON/],
    ["nesting too deep", good.replace("{", `{"x":${"[".repeat(20_000)},`), /nest at most 128/],
    ["a bare control character", good.replace("Say", "\u0001"), /send valid JSON/],
    ["NaN", good.replace("64", "NaN"), /JSON|max_tokens/],
  ];
  for (const [what, body, says] of bodies) {
    it(`${what} is refused`, async () => {
      assertRefused(await post(body), invalid(says));
    });
  }

  it("count_tokens is judged by the same scanner", async () => {
    const body = good.replace("{", '{"model":"x",');
    const answer = await relay.call("/v1/messages/count_tokens", { token, body });
    assertRefused(answer, invalid(/^model: given more than once/));
  });

  const types: readonly [what: string, headers: Record<string, string>, says: RegExp][] = [
    ["plain text", { "content-type": "text/plain" }, /must be application\/json.*"text\/plain"/],
    ["another charset", { "content-type": "application/json; charset=utf-16" }, /in UTF-8/],
    ["a suffix type", { "content-type": "application/vnd.api+json" }, /must be application\/json/],
    ["a tab in the type", { "content-type": "application/json\t;x" }, /must be application\/json/],
    ["two types in one", { "content-type": "application/json, text/plain" }, /application\/json/],
    ["a form", { "content-type": "multipart/form-data; boundary=a" }, /must be application\/json/],
    ["gzip", { "content-encoding": "gzip" }, /content-encoding "gzip" is not accepted/],
    ["two codings", { "content-encoding": "identity, br" }, /send the body as it is/],
  ];
  for (const [what, headers, says] of types) {
    it(`a body labelled ${what} is refused`, async () => {
      assertRefused(await post(good, headers), unsupported(says));
    });
  }

  it("a body without a content-type is refused", async () => {
    const { text, statuses } = await sendRaw(
      relay.port,
      `POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2\r\n\r\n{}`,
    );
    assert.deepEqual(statuses, [415]);
    assert.match(text, /not absent/);
  });

  it("a body one byte too long is refused", async () => {
    assertRefused(await post(Buffer.alloc(64 * 1024 + 1, 0x20)), tooLarge);
    assertRefused(await post(Buffer.alloc(16 * 1024 * 1024, 0x20)), tooLarge);
  });

  it("a client that sends all of a large body before it reads still gets its 413", async () => {
    const size = 32 * 1024 * 1024;
    const head = `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nContent-Length: ${size}\r\n\r\n`;
    const socket = connect(relay.port, "127.0.0.1");
    socket.pause();
    socket.write(head);
    await new Promise<void>((resolve, reject) => {
      socket.write(Buffer.alloc(size, 0x20), (error) => (error ? reject(error) : resolve()));
    });
    let text = "";
    for await (const chunk of socket) {
      text += chunk;
    }
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.match(text, /"type":"request_too_large"/);
  });

  it("a stated length above the limit is refused before a byte of the body came", async () => {
    const head = `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nContent-Length: 99999999999\r\n\r\n`;
    const { text } = await firstBytes(relay.port, head);
    assert.match(text, /^HTTP\/1\.1 413 /);
    assert.match(text, /\r\nconnection: close\r\n/);
    assert.match(text, /"type":"request_too_large"/);
  });

  it("a chunked body is refused as soon as it passes the limit, long before its end", async () => {
    const chunk = `4000\r\n${" ".repeat(0x4000)}\r\n`;
    const head = `POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nAuthorization: Bearer ${token}\r\nTransfer-Encoding: chunked\r\n\r\n`;
    // Five chunks of 16 KiB and no end.
    const { text } = await firstBytes(relay.port, head + chunk.repeat(5));
    assert.match(text, /^HTTP\/1\.1 413 /);
  });

  it("a stranger's body is not read: the credential is judged first", async () => {
    const head =
      "POST /v1/messages HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n";
    const { text } = await firstBytes(relay.port, head);
    assert.match(text, /^HTTP\/1\.1 401 /);
  });

  const routes: readonly [method: string, path: string][] = [
    ["POST", "/v1/completions"],
    ["GET", "/v1/messages"],
    ["PUT", "/v1/messages"],
    ["DELETE", "/v1/models"],
    ["POST", "/v1/messages/batches"],
    ["POST", "/v1/messages/"],
    ["GET", "/v1/"],
    ["PROPFIND", "/v1/models"],
  ];
  for (const [method, path] of routes) {
    it(`${method} ${path} is answered 404, naming what is offered`, async () => {
      const answer = await relay.call(path, { method, token });
      assertRefused(answer, notFound(/Offered are POST \/v1\/messages, .*GET \/v1\/models\/{id}/));
    });
  }

  it("an unknown route is 404 whatever its body is", async () => {
    for (const body of ["{", "x".repeat(3_000_000)]) {
      assertRefused(await relay.call("/v1/completions", { token, body }), notFound(/not offered/));
    }
    assertRefused(await relay.call("/nowhere", { body: "{" }), notFound(/See openapi\.json/));
  });

  it("a path that cannot be decoded is refused in the same shape", async () => {
    assertRefused(await relay.call("/v1/models/%zz", { token }), invalid(/not a valid url/));
    const long = await relay.call(`/v1/models/${"m".repeat(401)}`, { token });
    assert.equal(long.body.type, "error");
    assert.equal(long.headers.get("request-id"), long.body.request_id);
  });

  it("queries of the Models API are checked", async () => {
    for (const query of ["limit=x", "limit=-1", "limit=99999", "after_id=a%2Fb", "before_id="]) {
      assertRefused(
        await relay.call(`/v1/models?${query}`, { token }),
        invalid(new RegExp(`^${query.split("=")[0]} must be`)),
      );
    }
    assertRefused(await relay.call("/v1/models/a%2F..%2Fb", { token }), invalid(/^model must be/));
  });

  const bootstraps: readonly [what: string, body: unknown, says: RegExp][] = [
    ["no body", undefined, /^body: must be a JSON object/],
    ["no JSON", "{", /must be valid JSON in UTF-8/],
    ["a byte order mark", '\ufeff{"device_id":"device-0001"}', /must be valid JSON in UTF-8/],
    ["no device_id", {}, /^device_id: field required/],
    ["a short device_id", { device_id: "1234567" }, /^device_id: must be 8–128 printable ASCII/],
    ["a long device_id", { device_id: "d".repeat(129) }, /^device_id: must be 8–128 printable/],
    ["a line break in it", { device_id: "device\n0001" }, /^device_id: must be 8–128 printable/],
    ["letters beyond ASCII", { device_id: "gerät-000001" }, /^device_id: must be 8–128 printable/],
    ["a number", { device_id: 12345678 }, /^device_id: must be a string/],
    ["a long app_version", { device_id: "device-0001", app_version: "v".repeat(65) }, /app_ver/],
  ];
  for (const [what, body, says] of bootstraps) {
    it(`a bootstrap with ${what} is refused`, async () => {
      assertRefused(await relay.call("/bootstrap", { method: "POST", body }), invalid(says));
    });
  }

  it("a bootstrap with faults in several fields names them all", async () => {
    const answer = await relay.call("/bootstrap", { body: { device_id: "x", app_version: 1 } });
    assertRefused(answer, invalid(/device_id: .*; app_version: /));
  });

  it("a bootstrap of the wrong type, or too large, is refused", async () => {
    const body = JSON.stringify({ device_id: "device-0001" });
    const headers = { "content-type": "text/plain" };
    assertRefused(await relay.call("/bootstrap", { body, headers }), unsupported(/text\/plain/));
    const big = await relay.call("/bootstrap", { body: " ".repeat(64 * 1024 + 1) });
    // No setting moves this limit, so none is named.
    assertRefused(big, { ...tooLarge, says: /larger than 65536 bytes: send less/ });
  });

  it("the admin API names bad fields, unknown ones and bad queries", async () => {
    const device = "/admin/devices/test-device-0001";
    const patch = (body: unknown) => relay.admin(device, { method: "PATCH", body });
    assertRefused(await patch({}), invalid(/body/));
    assertRefused(await patch({ colour: "red" }), invalid(/^colour: unknown field/));
    assertRefused(
      await patch({ status: "gone" }),
      invalid(/^status: must be "active", "disabled" or/),
    );
    assertRefused(await patch({ models: ["a*b"] }), invalid(/^models\.0: must be a model id/));
    const zero = await patch({ requests_per_minute: 0 });
    assertRefused(zero, invalid(/^requests_per_minute: must be 1 or more/));
    const group = await relay.admin("/admin/usage?group_by=moon");
    assertRefused(group, invalid(/^group_by: must be comma-separated: device, /));
    assertRefused(
      await relay.admin("/admin/usage?from=yesterday"),
      invalid(/^from must be a time/),
    );
    assertRefused(await relay.admin("/admin/usage?dvice=x"), invalid(/^dvice: unknown field/));
    for (const list of [
      "audit",
      "budgets",
      "devices",
      "enrollment-codes",
      "keys",
      "organizations",
    ]) {
      const says = /^dvice: unknown field: leave it out \(known are limit(,| and) cursor/;
      assertRefused(await relay.admin(`/admin/${list}?dvice=x`), invalid(says));
    }
    for (const list of ["policies", "routers", "users"]) {
      assertRefused(await relay.admin(`/admin/${list}?x=`), invalid(/^x: unknown field/));
    }
    assertRefused(await relay.admin("/admin/usage/requests?limit=0"), invalid(/^limit: /));
    assertRefused(await relay.admin("/admin/usage/requests?cursor=zzz"), invalid(/cursor/));
    assertRefused(await relay.admin("/admin/devices?status=lost"), invalid(/^status: /));
    assertRefused(await relay.admin("/admin/devices/short"), invalid(/^id: must be 8–128/));
    assertRefused(await relay.admin("/admin/devices/unknown-device"), notFound(/No device/));
  });
});

/** What the server says to bytes that are no whole request yet. */
const firstBytes = (port: number, bytes: string): Promise<{ text: string }> =>
  new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      text += chunk;
      if (text.includes('"request_id"')) {
        socket.destroy();
        resolve({ text });
      }
    });
  });
