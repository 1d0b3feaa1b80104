/** The same calls, straight to upstream and through the relay: nothing is lost, changed or added on the way. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask, askStream } from "./harness/anthropic.ts";
import { send, withToken } from "./harness/http.ts";
import { masterKey } from "./harness/secrets.ts";
import { startTwins, type Twins, withoutRelayHeaders } from "./harness/twins.ts";

let twins: Twins;
before(async () => {
  twins = await startTwins();
});
after(() => twins.stop());

/** Makes the call both ways and demands the same answer. */
const same = async (call: Parameters<Twins["both"]>[0]) => {
  const { straight, relayed } = await twins.both(call);
  const stripped = withoutRelayHeaders(relayed);
  assert.equal(stripped.status, straight.status);
  assert.equal(firstDifference(stripped.body, straight.body), null);
  assert.deepEqual(stripped.headers, straight.headers);
  assert.equal(stripped.whole, straight.whole);
  return stripped;
};

/** Null when they are the same, else where and how they part: whole bodies would fill the screen. */
const firstDifference = (one: Buffer, other: Buffer): string | null => {
  if (one.equals(other)) {
    return null;
  }
  const at = one.findIndex((byte, index) => byte !== other[index]);
  const around = (bytes: Buffer) => bytes.subarray(Math.max(0, at - 60), at + 60).toString();
  return `at ${at} of ${one.length} and ${other.length}: ${around(one)} | ${around(other)}`;
};

describe("an answer of upstream's reaches the caller byte for byte", () => {
  it("a message", async () => {
    const answer = await same({ body: ask("Hi 🦊") });
    assert.equal(answer.status, 200);
    assert.ok(answer.headers["anthropic-ratelimit-tokens-remaining"]);
    assert.ok(answer.headers["anthropic-organization-id"]);
    assert.equal(answer.headers["content-length"], String(answer.body.length));
  });

  it("a count of tokens, the list of models, one model", async () => {
    const { max_tokens: _, ...body } = ask("How many?");
    await same({ path: "/v1/messages/count_tokens", body });
    await same({ path: "/v1/messages/count_tokens?beta=true", body });
    await same({ method: "GET", path: "/v1/models" });
    await same({ method: "GET", path: "/v1/models?limit=2&after_id=claude-opus-5-5" });
    await same({ method: "GET", path: "/v1/models/claude-haiku-4-5" });
    assert.equal((await same({ method: "GET", path: "/v1/models/claude-none" })).status, 404);
  });

  for (const status of ["400", "401", "402", "403", "404", "408", "409", "413", "422"]) {
    it(`upstream's ${status}, streamed or not`, async () => {
      assert.equal((await same({ body: ask("hi"), scenario: status })).status, Number(status));
      await same({ body: askStream("hi"), scenario: status });
    });
  }

  // Not one after the other, lest five in a row open the circuit breaker.
  for (const scenario of ["500", "502", "503", "504", "529", "529:7"]) {
    it(`upstream's ${scenario}, with what it says of trying again`, async () => {
      const answer = await same({ body: ask("hi"), scenario });
      assert.equal(answer.status, Number.parseInt(scenario, 10));
      assert.equal(answer.headers["x-should-retry"], "true");
      assert.equal(answer.headers["retry-after"], scenario === "529:7" ? "7" : undefined);
      assert.equal((await same({ body: ask("a success in between") })).status, 200);
    });
  }

  it("upstream's 429, with retry-after and the limits", async () => {
    const { headers } = await same({ body: ask("hi"), scenario: "429:42" });
    assert.equal(headers["retry-after"], "42");
    assert.equal(headers["x-should-retry"], "true");
    assert.equal(headers["anthropic-ratelimit-requests-remaining"], "0");
    assert.match(headers["request-id"] ?? "", /^req_/);
  });

  it("upstream's HTML page stays an HTML page", async () => {
    const { headers } = await same({ body: ask("hi"), scenario: "html:413" });
    assert.match(headers["content-type"] ?? "", /^text\/html/);
  });

  it("upstream's own refusals of a body", async () => {
    for (const body of [
      { ...ask("hi"), messages: [] },
      { ...ask("hi"), model: "claude-none" },
    ]) {
      assert.ok((await same({ body })).status >= 400);
    }
  });

  for (const scenario of [
    "fast",
    "split:1",
    "split:7",
    "byte-by-byte",
    "unknown-events",
    "usage-heavy",
    "refusal",
    "error-after-start:4",
    "deltas:10000",
    "huge:3000000",
  ]) {
    it(`a stream, ${scenario}`, async () => {
      const answer = await same({ body: askStream("Hi, ünïcödé 🦊"), scenario });
      assert.equal(answer.status, 200);
      assert.match(answer.headers["content-type"] ?? "", /^text\/event-stream/);
      assert.ok(answer.whole);
    });
  }

  it("a message of 3 MB", async () => {
    const answer = await same({ body: ask("hi"), scenario: "huge:3000000" });
    assert.ok(answer.body.length > 3_000_000);
  });

  it("with upstream's own request id", async () => {
    for (const scenario of ["", "429:1", "error-after-start"]) {
      const { headers } = await send(twins.setting.relay.url, {
        headers: withToken(twins.setting.token, scenario),
        body: askStream("hi"),
      });
      assert.equal(headers["request-id"], twins.setting.simulator.log.at(-1)?.requestId);
    }
  });

  it("but not a cookie: that would be upstream's CDN talking to the operator's domain", async () => {
    const { straight, relayed } = await twins.both({ body: ask("hi"), scenario: "set-cookie" });
    assert.ok(straight.headers["set-cookie"]);
    assert.equal(relayed.headers["set-cookie"], undefined);
  });
});

describe("a request reaches upstream byte for byte", () => {
  const arrived = () => {
    const request = twins.setting.simulator.log.at(-1);
    assert.ok(request);
    return request;
  };

  it("whatever its spelling: escapes, odd white space, key order, unknown fields, numbers as written", async () => {
    const body = Buffer.from(
      '\n{ "x_unknown" : {"b":1.0,"a":[1e3,-0]},\t"stream":false,"messages":[{"content":"\\u00e9\\ud83e\\udd8a é 🦊 \\/ \\u0000","role":"user"}],\r\n"max_tokens":64, "model" :"claude-haiku-4-5","container":null}\n ',
    );
    const { status } = await send(twins.setting.relay.url, {
      headers: withToken(twins.setting.token),
      body,
    });
    assert.equal(status, 200);
    assert.ok(arrived().body.equals(body));
  });

  it("also when it comes in chunks, of which one splits a character", async () => {
    const whole = Buffer.from(JSON.stringify(ask("🦊".repeat(30_000))));
    const chunks = [
      whole.subarray(0, 1),
      whole.subarray(1, 70_001),
      whole.subarray(70_001, 70_003),
      whole.subarray(70_003),
    ];
    const { status } = await send(twins.setting.relay.url, {
      headers: withToken(twins.setting.token),
      body: chunks,
    });
    assert.equal(status, 200);
    assert.ok(arrived().body.equals(whole));
    assert.equal(arrived().headers["content-length"], String(whole.length));
    assert.equal(arrived().headers["transfer-encoding"], undefined);
  });

  it("with every header but credentials, cookies and what a hop says of itself", async () => {
    const kept = {
      "anthropic-beta": "claude-code-20250219,not-yet-invented-2030-01-01",
      "anthropic-version": "2023-06-01",
      "anthropic-dangerous-direct-browser-access": "true",
      "x-stainless-retry-count": "1",
      "x-stainless-lang": "js",
      "x-claude-code-session-id": "11111111-2222-4333-8444-555555555555",
      "x-claude-code-agent-id": "agent",
      "x-app": "cli",
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "user-agent": "claude-cli/2.1.329 (external, sdk-cli)",
      "content-type": "application/json; charset=utf-8",
      "x-of-tomorrow": "yes",
    };
    const dropped = {
      cookie: "session=secret",
      "x-forwarded-for": "10.0.0.7",
      "x-forwarded-host": "inside.example",
      "x-real-ip": "10.0.0.7",
      forwarded: "for=10.0.0.7",
      via: "1.1 inside",
      "x-relay-anything": "ours",
      te: "trailers",
      connection: "close, x-hop",
      "x-hop": "only to the next",
      "proxy-authorization": "Basic c2VjcmV0",
      "accept-encoding": "gzip, br",
    };
    await send(twins.setting.relay.url, {
      headers: { ...withToken(twins.setting.token), ...kept, ...dropped },
      body: ask("hi"),
    });
    const { headers } = arrived();
    for (const [name, value] of Object.entries(kept)) {
      assert.equal(headers[name], value, name);
    }
    for (const [name, value] of Object.entries(dropped)) {
      assert.notEqual(headers[name], value, name);
    }
    assert.equal(headers["x-api-key"], masterKey);
    assert.equal(headers.authorization, undefined);
    assert.equal(headers.host, new URL(twins.setting.upstreamUrl).host);
    assert.equal(headers["accept-encoding"], "identity");
  });

  it("on the path it was sent to, beta or not", async () => {
    const { max_tokens: _, ...countBody } = ask("hi");
    const calls = [
      ["/v1/messages", ask("hi")],
      ["/v1/messages?beta=true", ask("hi")],
      ["/v1/messages/count_tokens?beta=true", countBody],
    ] as const;
    for (const [path, body] of calls) {
      await send(twins.setting.relay.url, { path, headers: withToken(twins.setting.token), body });
      assert.equal(arrived().path, path);
      assert.equal(arrived().method, "POST");
    }
  });

  it("and the wrapper token is nowhere in what upstream got", () => {
    const { log } = twins.setting.simulator;
    assert.ok(log.length > 40);
    for (const { headers, path, body } of log) {
      assert.equal(headers["x-api-key"], masterKey);
      const all = JSON.stringify(headers) + path + body.toString("latin1");
      assert.ok(!all.includes(twins.setting.token));
    }
  });

  it("and the master key is nowhere in what the relay says, writes or logs", () => {
    const { logs, stderr } = twins.setting.relay;
    assert.ok(logs.length > 100);
    const said = JSON.stringify(logs) + stderr();
    assert.ok(!said.includes(masterKey));
    assert.ok(!said.includes(twins.setting.token));
    assert.ok(!said.includes("ünïcödé"), "a prompt");
  });

  it("on a path from a fixed table: a caller's path and query build no upstream URL", async () => {
    const before = twins.setting.simulator.log.length;
    const call = (path: string, method = "POST") =>
      send(twins.setting.relay.url, {
        method,
        path,
        headers: withToken(twins.setting.token),
        ...(method === "POST" && { body: ask("hi") }),
      });
    await call("/v1/messages?beta=true&x=/../../admin");
    assert.equal((await call("/v1/messages/batches")).status, 404);
    assert.equal((await call("/v1/models/..%2fmessages", "GET")).status, 400);
    assert.equal((await call("/v1/organizations/usage", "GET")).status, 404);
    const paths = twins.setting.simulator.log.slice(before).map(({ path }) => path);
    assert.equal(paths.length, 1);
    assert.ok(paths[0] === "/v1/messages" || paths[0] === "/v1/messages?beta=true");
  });
});

describe("what clients ask before they begin", () => {
  for (const path of ["/", "/api/hello"]) {
    it(`HEAD ${path} answers 200 without a credential`, async () => {
      const { status, body } = await send(twins.setting.relay.url, { method: "HEAD", path });
      assert.equal(status, 200);
      assert.equal(body.length, 0);
    });
  }

  it("GET / tells a browser where an enrollment link belongs, and a program that nothing is there", async () => {
    const { relay } = twins.setting;
    const ask = (accept: string) =>
      send(relay.url, { method: "GET", path: "/", headers: { accept } });
    const page = await ask("text/html,application/xhtml+xml,*/*;q=0.8");
    assert.equal(page.status, 200);
    assert.match(String(page.body), /paste it into the desktop app/);
    assert.match(String(page.headers["content-security-policy"]), /^default-src 'none'/);
    assert.doesNotMatch(String(page.body), /<script/);
    assert.equal((await ask("*/*")).status, 404);
  });
});
