/** Raw bytes: smuggling, doubtful hosts and paths, and clients that never finish. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, afterEach, before, describe, it } from "node:test";
import { type InsideRelay, question, startInside } from "./harness/inside.ts";
import { sendRaw } from "./harness/raw-http.ts";
import { assertUpstreamUnasked } from "./harness/refused.ts";
import { adminToken } from "./harness/secrets.ts";

const body = JSON.stringify(question);
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
const smuggled = "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n";

describe("requests that two readers could read in two ways", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside();
    token = await relay.bootstrap();
  });
  after(() => relay.remove());

  /** A request with a good token: only what is wrong with it can keep it from upstream. */
  const post = (headers: string, content: string, requestLine = "POST /v1/messages HTTP/1.1") =>
    `${requestLine}\r\nHost: relay.test\r\nAuthorization: Bearer ${token}\r\nanthropic-version: 2023-06-01\r\nContent-Type: application/json\r\n${headers}\r\n${content}`;
  const length = `Content-Length: ${body.length}\r\n`;
  const te = "Transfer-Encoding: chunked\r\n";

  it("(the same helper sends good requests, and they reach upstream)", async () => {
    relay.simulator.reset();
    for (const bytes of [post(length, body), post(te, chunked)]) {
      const answer = await sendRaw(relay.port, bytes);
      assert.deepEqual(answer.statuses, [200], answer.text);
    }
    assert.equal(relay.simulator.counters().requests, 2);
    assert.equal(relay.simulator.log[1]?.body.toString(), body);
    relay.simulator.reset();
  });

  describe("is closed with 400, or without a word", () => {
    afterEach(() => assertUpstreamUnasked(relay));

    const refused = async (bytes: string | Buffer): Promise<void> => {
      const answer = await sendRaw(relay.port, bytes);
      assert.equal(answer.closed, true, answer.text);
      assert.ok(answer.statuses.length <= 1, `answered twice: ${answer.text}`);
      assert.deepEqual(
        answer.statuses.filter((status) => status !== 400),
        [],
        answer.text,
      );
      if (answer.statuses.length === 1 && !bytes.toString().startsWith("HEAD")) {
        const [, json = ""] = answer.text.split("\r\n\r\n");
        const { type, error, request_id } = JSON.parse(json);
        assert.equal(type, "error");
        assert.equal(error.type, "invalid_request_error");
        assert.match(answer.text, new RegExp(`request-id: ${request_id}\r\n`));
      }
    };

    const lengths: readonly [what: string, headers: string, content: string][] = [
      ["both a length and chunks", length + te, chunked],
      ["both, in the other order", te + length, chunked],
      ["two equal lengths", length + length, body],
      ["two different lengths", `${length}Content-Length: 5\r\n`, body],
      ["a list of lengths", `Content-Length: ${body.length}, ${body.length}\r\n`, body],
      ["a signed length", `Content-Length: +${body.length}\r\n`, body],
      ["a negative length", "Content-Length: -1\r\n", body],
      ["a hexadecimal length", `Content-Length: 0x${body.length.toString(16)}\r\n`, body],
      ["a fractional length", `Content-Length: ${body.length}.0\r\n`, body],
      ["an empty length", "Content-Length:\r\n", body],
      ["a length beyond 64 bits", "Content-Length: 18446744073709551617\r\n", body],
      ["a length with a blank in it", "Content-Length: 1 0\r\n", body],
    ];
    const codings: readonly [what: string, headers: string, content: string][] = [
      ["chunked twice", "Transfer-Encoding: chunked, chunked\r\n", chunked],
      ["two Transfer-Encoding headers", te + te, chunked],
      ["chunked before identity", "Transfer-Encoding: chunked, identity\r\n", chunked],
      ["identity alone", "Transfer-Encoding: identity\r\n", body],
      ["an unknown coding", "Transfer-Encoding: xchunked\r\n", chunked],
      ["a coding behind a vertical tab", "Transfer-Encoding: \x0bchunked\r\n", chunked],
      ["a quoted coding", 'Transfer-Encoding: "chunked"\r\n', chunked],
      ["a coding with a semicolon", "Transfer-Encoding: chunked;\r\n", chunked],
      ["gzip as a coding", "Transfer-Encoding: gzip\r\n", body],
    ];
    const headers: readonly [what: string, headers: string, content: string][] = [
      ["a blank before the colon", `Content-Length : ${body.length}\r\n`, body],
      ["a folded header", `X-Folded: a\r\n b\r\n${length}`, body],
      ["a header without a colon", `X-Broken\r\n${length}`, body],
      ["a header without a name", `: nothing\r\n${length}`, body],
      ["a bare line feed between headers", `X-A: a\nX-B: b\r\n${length}`, body],
      ["a bare carriage return in a value", `X-A: a\rb\r\n${length}`, body],
      ["a NUL in a value", `X-A: a\0b\r\n${length}`, body],
      ["a NUL in a name", `X\0A: a\r\n${length}`, body],
      ["a name that is no token", `X[A]: a\r\n${length}`, body],
      ["a second Host", `Host: other.test\r\n${length}`, body],
      ["a second, equal Host", `host: relay.test\r\n${length}`, body],
      ["a second Authorization", `authorization: Bearer another\r\n${length}`, body],
      ["a second Content-Type", `content-type: text/plain\r\n${length}`, body],
      ["an unknown expectation", `Expect: banana\r\n${length}`, body],
    ];
    const chunks: readonly [what: string, content: string][] = [
      ["a chunk size with a sign", `+5\r\nhello\r\n0\r\n\r\n`],
      ["a chunk size in C's spelling", `0x5\r\nhello\r\n0\r\n\r\n`],
      ["a chunk size that overflows", `fffffffffffffffff\r\nhello\r\n0\r\n\r\n`],
      ["a negative chunk size", `-1\r\nhello\r\n0\r\n\r\n`],
      ["a chunk without its line end", `5\r\nhello0\r\n\r\n`],
      ["a chunk longer than it says", `3\r\nhello\r\n0\r\n\r\n`],
      ["a chunk size ended by a line feed", `5\nhello\r\n0\r\n\r\n`],
      ["a chunk ended by a line feed", `5\r\nhello\n0\r\n\r\n`],
      ["a chunk size with a blank", ` 5\r\nhello\r\n0\r\n\r\n`],
      ["an extension with a bare line feed", `5;a\nb\r\nhello\r\n0\r\n\r\n`],
      ["an empty chunk size", `\r\nhello\r\n0\r\n\r\n`],
    ];
    for (const [what, head, content] of [...lengths, ...codings, ...headers]) {
      it(what, () => refused(post(head, content + smuggled)));
    }
    for (const [what, content] of chunks) {
      it(what, () => refused(post(te, content + smuggled)));
    }

    const lines: readonly [what: string, line: string][] = [
      ["an absolute target", "POST http://evil.test/v1/messages HTTP/1.1"],
      ["an absolute target of our own", "POST http://relay.test/v1/messages HTTP/1.1"],
      ["an asterisk", "OPTIONS * HTTP/1.1"],
      ["no slash", "POST v1/messages HTTP/1.1"],
      ["a backslash", "POST \\v1\\messages HTTP/1.1"],
      ["HTTP/0.9", "POST /v1/messages HTTP/0.9"],
      ["HTTP/2.0 in words", "POST /v1/messages HTTP/2.0"],
      ["a lower-case version", "POST /v1/messages http/1.1"],
      ["an unknown method", "PWN /v1/messages HTTP/1.1"],
      ["a lower-case method", "post /v1/messages HTTP/1.1"],
      ["a blank in the target", "POST /v1/mess ages HTTP/1.1"],
      ["a NUL in the target", "POST /v1/\0messages HTTP/1.1"],
    ];
    for (const [what, line] of lines) {
      it(`a request line with ${what}`, () => refused(post(length, body, line)));
    }

    it("HTTP/1.0 with chunks", () => refused(post(te, chunked, "POST /v1/messages HTTP/1.0")));

    for (const method of ["GET", "HEAD", "OPTIONS"]) {
      it(`a ${method} with a body`, async () => {
        await refused(post(length, body, `${method} /v1/models HTTP/1.1`));
        await refused(post(te, chunked, `${method} /v1/models HTTP/1.1`));
      });
    }

    for (const host of [
      "",
      "a/#@b",
      "a/../admin",
      "user@relay.test",
      "a b",
      "a,b",
      "relay.test:port",
      "relay.test:123456",
      "[::1",
      "a?x",
      "a\\b",
    ]) {
      it(`a Host that reads "${host}"`, () =>
        refused(post(length, body).replace("Host: relay.test", `Host: ${host}`)));
    }

    it("no Host at all", () => refused(post(length, body).replace("Host: relay.test\r\n", "")));

    it("a TLS greeting and other noise", async () => {
      await refused(Buffer.from("16030100a5010000a1030352", "hex"));
      await refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
      await refused("\0\0\0\0\r\n\r\n");
    });
  });

  it("headers beyond 32 KiB are refused with 431, in Anthropic's shape, and the connection is closed", async () => {
    relay.simulator.reset();
    const long = "a".repeat(40_000);
    const many = Array.from({ length: 2000 }, (_, n) => `X-Header-${n}: ${n}\r\n`).join("");
    for (const bytes of [
      post(`X-A: ${long}\r\n${length}`, body + smuggled),
      post(many + length, body + smuggled),
      `GET /${long} HTTP/1.1\r\nHost: a\r\n\r\n`,
    ]) {
      const { statuses, text, closed } = await sendRaw(relay.port, bytes);
      assert.deepEqual(statuses, [431]);
      assert.equal(closed, true);
      assert.match(text, /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n/);
      const { type, error, request_id } = JSON.parse(text.split("\r\n\r\n")[1] ?? "");
      assert.equal(type, "error");
      assert.equal(error.type, "request_too_large");
      assert.match(error.message, /larger than 32768 bytes: send fewer or shorter headers/);
      assert.match(text, new RegExp(`request-id: ${request_id}\r\n`));
    }
    assertUpstreamUnasked(relay);
  });

  it("every header value our parser takes upstream's client takes too: none opens the breaker", async () => {
    relay.simulator.reset();
    for (const value of ["", "a\tb", "caf\xe9", "\xff\x80", "\"'<>;,=(){}[]"]) {
      for (const name of ["X-A", "Anthropic-Beta", "x!#$%&'*+-.^_`|~"]) {
        const bytes = Buffer.from(post(`${name}: ${value}\r\n${length}`, body), "latin1");
        const { statuses, text } = await sendRaw(relay.port, bytes);
        assert.deepEqual(statuses, [200], text);
        const seen = relay.simulator.log.at(-1)?.headers[name.toLowerCase()];
        assert.equal(seen, value);
      }
    }
    const breaker = await relay.admin("/admin/circuit-breaker");
    assert.equal(breaker.body.consecutive_failures, 0);
    relay.simulator.reset();
  });

  it("an upgrade to h2c is not taken: one HTTP/1.1 answer, and upstream hears nothing of it", async () => {
    relay.simulator.reset();
    const upgrade =
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    const { statuses } = await sendRaw(relay.port, post(upgrade + length, body));
    assert.deepEqual(statuses, [200]);
    const [seen] = relay.simulator.log;
    assert.equal(seen?.headers["upgrade"], undefined);
    assert.equal(seen?.headers["http2-settings"], undefined);
    relay.simulator.reset();
  });

  it("CONNECT opens no tunnel", async () => {
    const { statuses, closed } = await sendRaw(
      relay.port,
      "CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n",
    );
    assert.equal(closed, true);
    assert.deepEqual(
      statuses.filter((status) => status < 400),
      [],
    );
  });

  it("garbage behind a good request is not answered inside that request's answer", async () => {
    relay.simulator.reset();
    const slow = body
      .replace("claude-haiku-4-5", "claude-sim-paced:3:100")
      .replace("{", '{"stream":true,');
    const request = post(`Content-Length: ${slow.length}\r\n`, slow);
    const socket = connect(relay.port, "127.0.0.1", () => socket.write(request));
    let text = "";
    for await (const chunk of socket) {
      if (text === "") {
        socket.write("\0\0garbage\r\n\r\n");
      }
      text += chunk;
    }
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, text);
    relay.simulator.reset();
  });
});

describe("paths", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside();
    token = await relay.bootstrap();
  });
  after(() => relay.remove());
  afterEach(() => assertUpstreamUnasked(relay));

  const get = (path: string, credential: string | null) =>
    sendRaw(
      relay.port,
      `GET ${path} HTTP/1.1\r\nHost: a\r\n${credential === null ? "" : `Authorization: Bearer ${credential}\r\n`}\r\n`,
    );

  const detours = [
    "/v1/../admin/devices",
    "/v1/%2e%2e/admin/devices",
    "/v1/..%2fadmin/devices",
    "/v1/..%2Fadmin%2Fdevices",
    "/v1/..\\admin\\devices",
    "/v1/models/../../admin/devices",
    "/v1/models/..",
    "/v1/models/%2e%2e",
    "/v1/models/..%2fmessages",
    "/v1/models/%2e%2e%2fmessages",
    "/v1/models/a%2Fb",
    "/v1/models/a%00b",
    "/v1/models/a%0d%0ax",
    "/v1/models/a%3Fb",
    "/v1/models/a%23b",
    "/v1//models",
    "/admin/usage/requests#/healthz",
    "//admin/devices",
    "/./admin/devices",
    "/admin//devices",
    "/ADMIN/devices",
    "/admin/devices/",
    "/admin;x/devices",
    "/v1/models;x",
    "/v1/models/;/messages",
  ];
  for (const path of detours) {
    it(`${path} leads nowhere, with a token or without`, async () => {
      for (const credential of [null, token]) {
        const { statuses, text } = await get(path, credential);
        assert.ok([400, 401, 403, 404].includes(statuses[0] ?? 0), text);
        assert.doesNotMatch(text, /"data":/);
      }
    });
  }

  const disguises = [
    "/%61dmin/usage",
    "/admin/%75sage",
    "/%61%64%6d%69%6e/devices",
    "/admin/devices?x=/healthz",
    "/admin/audit",
    "/admin/circuit-breaker",
    "/admin/enrollment-codes",
  ];
  for (const path of disguises) {
    it(`${path} asks for a credential`, async () => {
      for (const credential of [null, "not-a-token"]) {
        assert.deepEqual((await get(path, credential)).statuses, [401]);
      }
    });
  }

  it("(the admin token opens the same disguised path: it is the route that counts)", async () => {
    assert.deepEqual((await get("/%61dmin/usage", adminToken)).statuses, [200]);
  });
});

describe("clients that never finish", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({ env: { REQUEST_TIMEOUT: "300", RATE_LIMIT_MAX: "1000" } });
    token = await relay.bootstrap();
  });
  after(() => relay.remove());

  /** Sends some bytes, then one more from time to time, until the server hangs up. */
  const drip = async (start: string): Promise<string> => {
    const socket = connect(relay.port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(start);
    let text = "";
    const dripping = setInterval(() => socket.write("a"), 50);
    socket.on("data", (chunk) => {
      text += chunk;
      clearInterval(dripping);
    });
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("close", resolve));
    clearInterval(dripping);
    return text;
  };

  it("slow headers and slow bodies are closed with 408, while others are served", async () => {
    const head = `POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const slow = [
      ...Array.from({ length: 50 }, () => drip("GET /v1/models HTTP/1.1\r\nHost: a\r\nX-Slow: ")),
      ...Array.from({ length: 50 }, () => drip(`${head}Content-Length: 1000000\r\n\r\n{`)),
      ...Array.from({ length: 50 }, () =>
        drip(`${head}Transfer-Encoding: chunked\r\n\r\nffffff\r\n{`),
      ),
    ];
    assert.equal((await relay.ask(token)).status, 200);
    // A byte that crosses the server's close resets the connection, and may take the answer with it.
    const answers = (await Promise.all(slow)).filter((text) => text !== "");
    assert.ok(answers.length >= slow.length / 2, `${answers.length} answers`);
    for (const text of answers) {
      assert.match(text, /^HTTP\/1\.1 408 /);
      assert.match(text, /"type":"timeout_error"/);
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, text);
    }
    assert.equal(relay.simulator.counters().requests, 1);
  });
});

describe("a client that asks before it sends its body (Expect: 100-continue)", () => {
  let relay: InsideRelay;
  let token: string;

  before(async () => {
    relay = await startInside({ env: { MAX_PAYLOAD_SIZE: "1MiB" } });
    token = await relay.bootstrap();
  });
  after(() => relay.remove());

  const head = (path: string, length: number, more = "") =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nanthropic-version: 2023-06-01\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n${more}\r\n`;

  /** Sends the head, and the body only when told to go on. Gives all that the server said. */
  const ask = async (start: string, content: string): Promise<string> => {
    const socket = connect(relay.port, "127.0.0.1", () => socket.write(start));
    socket.setEncoding("latin1");
    let text = "";
    for await (const chunk of socket) {
      text += chunk;
      if (text === "HTTP/1.1 100 Continue\r\n\r\n") {
        socket.write(content);
      } else if (/"request_id"|"stop_reason"|"wrapper_token"/.test(text)) {
        break;
      }
    }
    return text;
  };

  it("is told to go on, and then answered; upstream is not asked the same", async () => {
    relay.simulator.reset();
    const text = await ask(head("/v1/messages", body.length), body);
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    assert.equal(relay.simulator.log[0]?.headers["expect"], undefined);
    assert.equal(relay.simulator.log[0]?.body.toString(), body);
    relay.simulator.reset();
    const enrolling = JSON.stringify({ device_id: "asking-device" });
    assert.match(await ask(head("/bootstrap", enrolling.length), enrolling), /"wrapper_token"/);
  });

  it("is refused with 413 instead, when the body would be too large", async () => {
    for (const [path, length] of [
      ["/v1/messages", 1024 * 1024 + 1],
      ["/v1/messages?beta=true", 9_000_000_000],
      ["/bootstrap", 64 * 1024 + 1],
    ] as const) {
      const text = await ask(head(path, length), "");
      assert.match(text, /^HTTP\/1\.1 413 Payload Too Large\r\n/);
      assert.match(text, /\r\nconnection: close\r\n/i);
      assert.match(text, /"type":"request_too_large"/);
      assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, text);
    }
    assertUpstreamUnasked(relay);
  });

  it("is refused without a go-ahead for whatever else is wrong with its head", async () => {
    const text = await ask(head("/v1/messages", body.length, "Host: other.test\r\n"), body);
    assert.match(text, /^HTTP\/1\.1 400 /);
    assertUpstreamUnasked(relay);
  });
});
