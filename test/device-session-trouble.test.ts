/** A device's sign-in when things go wrong: clocks, sleep, networks, stores, strange servers. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import {
  createMemoryStore,
  DeviceSession,
  RelayConfigurationError,
  RelayConnectionError,
  RelayTimeoutError,
  SignedOutError,
} from "../packages/client/src/device/index.ts";
import { deadNetwork, hungNetwork, Machine } from "./harness/device-session.ts";
import { type InsideRelay, startInside } from "./harness/inside.ts";

const hour = 3_600_000;
const minute = 60_000;

let relay: InsideRelay;
let machine: Machine;

before(async () => {
  relay = await startInside({ env: { IP_RATE_LIMIT_MAX: "1000000" } });
});
after(() => relay.remove());
beforeEach(() => {
  machine = new Machine(() => relay);
});

const count = (path: string) => machine.paths().filter((one) => one === path).length;
const works = async (token: string) => assert.equal((await relay.ask(token)).status, 200);

describe("a device session on a machine whose clock", () => {
  for (const [what, by] of [
    ["is two days slow", -48 * hour],
    ["is two days fast", 48 * hour],
    ["is ten minutes fast", 10 * minute],
  ] as const) {
    it(`${what} renews in time all the same, with its signature`, async () => {
      machine.setClock(by);
      const session = machine.session();
      await session.start();
      const first = await session.token();
      await works(first);
      await machine.advance(22 * hour + 50 * minute);
      assert.equal(await session.token(), first);
      await machine.advance(11 * minute);
      const second = await session.token();
      assert.notEqual(second, first);
      await works(second);
      assert.equal(count("/bootstrap"), 1);
      await session.stop();
    });
  }

  it("was wrong when the token came, and is so at the next start, asks the relay for the time", async () => {
    machine.setClock(-48 * hour);
    const first = await machine.session().token();
    await machine.advance(23 * hour + minute);
    const second = await machine.session().token();
    assert.notEqual(second, first);
    assert.deepEqual(machine.paths(), ["/bootstrap", "/healthz", "/refresh"]);
  });

  it("was set forward a day between two starts signs again by the relay's clock, and enrolls no second time", async () => {
    await machine.session().token();
    await machine.advance(hour);
    machine.setClock(24 * hour);
    await works(await machine.session().token());
    assert.deepEqual(
      machine.asked.map(({ path, status }) => `${path} ${status}`),
      ["/bootstrap 200", "/refresh 401", "/refresh 200"],
    );
  });

  it("is set back two days keeps renewing in time", async () => {
    const session = machine.session();
    await session.start();
    await machine.advance(12 * hour);
    machine.setClock(-48 * hour);
    // It has only itself to tell: nobody answers for the relay's health.
    machine.network = (...request) =>
      (String(request[0]).endsWith("/healthz") ? deadNetwork : fetch)(...request);
    await machine.advance(11 * hour + minute);
    await works(await session.token());
    assert.equal(count("/refresh"), 1);
    assert.equal(count("/bootstrap"), 1);
    await session.stop();
  });

  it("made it look for a token in vain says that all is well as soon as the clock is right", async () => {
    const session = machine.session();
    await session.start();
    machine.network = deadNetwork;
    machine.setClock(30 * hour);
    await machine.advance(minute);
    assert.equal(session.state.kind, "offline");
    machine.network = fetch;
    machine.setClock(-30 * hour);
    await machine.advance(minute);
    assert.equal(session.state.kind, "ready");
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
    await session.stop();
  });

  it("jumps while it waits, is offline or is signed out still looks at its usual pace", async (t) => {
    const asking = await startInside({
      env: { BOOTSTRAP: "approve", IP_RATE_LIMIT_MAX: "1000000" },
    });
    t.after(() => asking.remove());
    const own = new Machine(() => asking);
    t.after(() => own.stop());
    const session = own.session();
    const where = () => session.state.kind;
    await session.start();
    own.setClock(-400 * hour);
    await own.advance(minute);
    assert.equal(where(), "waiting_for_approval");
    const { deviceId } = await session.identity();
    const path = `/admin/devices/${deviceId}`;
    const set = (status: string) => asking.admin(path, { method: "PATCH", body: { status } });
    await set("disabled");
    await own.advance(minute);
    assert.equal(where(), "signed_out");
    own.setClock(800 * hour);
    await set("active");
    own.network = deadNetwork;
    await own.advance(hour);
    assert.equal(where(), "offline");
    own.setClock(-700 * hour);
    own.network = fetch;
    await asking.admin(`${path}/approve`, { method: "POST" });
    await own.advance(6 * minute);
    assert.equal(where(), "ready");
    assert.equal((await asking.ask(await session.token())).status, 200);
  });

  it("is set forward two days and back again enrolls no second time", async () => {
    const session = machine.session();
    await session.start();
    const token = await session.token();
    machine.setClock(48 * hour);
    await machine.advance(minute);
    await works(await session.token());
    machine.setClock(-48 * hour);
    await machine.advance(minute);
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
    assert.ok(count("/refresh") <= 1);
    assert.ok(token.length > 0);
    await session.stop();
  });
});

describe("a device session on a laptop that sleeps", () => {
  it("for ten hours finds its token good, and looks at once", async () => {
    const session = machine.session();
    await session.start();
    const token = await session.token();
    machine.asked.length = 0;
    machine.sleep(10 * hour);
    await machine.advance(minute / 2);
    assert.deepEqual(machine.paths(), ["/healthz"]);
    assert.equal(await session.token(), token);
    await session.stop();
  });

  it("until the token's last hour renews it on waking", async () => {
    const session = machine.session();
    await session.start();
    machine.sleep(23.5 * hour);
    await machine.advance(minute / 2);
    assert.equal(count("/refresh"), 1);
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
    await session.stop();
  });

  it("past the token's end renews it all the same, by its key", async () => {
    const session = machine.session();
    await session.start();
    const { deviceId } = await session.identity();
    machine.sleep(70 * hour);
    const asked = session.token();
    await machine.settle();
    await works(await asked);
    assert.deepEqual([count("/bootstrap"), count("/refresh")], [1, 1]);
    assert.equal((await session.identity()).deviceId, deviceId);
    await session.stop();
  });
});

describe("a device session whose relay is away", () => {
  it("serves its token while that is good, backs off, and then says so; it never enrolls", async () => {
    const session = machine.session();
    await session.start();
    const token = await session.token();
    let tried = 0;
    machine.network = (...request) => {
      tried += 1;
      return deadNetwork(...request);
    };
    await machine.advance(23 * hour + 30 * minute);
    assert.equal(await session.token(), token);
    assert.equal(session.state.kind, "offline");
    assert.ok("hasToken" in session.state && session.state.hasToken);
    assert.ok(machine.types().includes("unhealthy"));
    assert.ok(machine.types().includes("refresh_failed"));
    // 47 looks at its health, and then at most one try in each 2.5 minutes.
    assert.ok(tried < 47 + 40, String(tried));
    await machine.advance(30 * minute);
    await assert.rejects(session.token(), RelayConnectionError);
    assert.ok("hasToken" in session.state && !session.state.hasToken);
    machine.network = fetch;
    await machine.advance(10 * minute);
    assert.equal(session.state.kind, "ready");
    await works(await session.token());
    await session.stop();
  });

  it("at first launch does not hold it up, and comes in when it is there", async () => {
    machine.network = deadNetwork;
    const session = machine.session();
    await session.start();
    assert.equal(session.state.kind, "offline");
    await assert.rejects(session.token(), /No connection to the relay/);
    const ready = session.ready();
    machine.network = fetch;
    await machine.advance(10 * minute);
    await works((await ready).token);
    await session.stop();
  });

  it("tries again at once after a sleep, with or without a token", async () => {
    machine.network = deadNetwork;
    const session = machine.session();
    await session.start();
    await machine.advance(hour);
    assert.equal(session.state.kind, "offline");
    machine.sleep(hour);
    machine.network = fetch;
    await machine.advance(minute / 2);
    assert.equal(session.state.kind, "ready");
    await session.stop();
  });

  it("does not let its callers hammer the network", async () => {
    let tried = 0;
    machine.network = (...request) => {
      tried += 1;
      return deadNetwork(...request);
    };
    const session = machine.session();
    for (let asked = 0; asked < 100; asked += 1) {
      await assert.rejects(session.token(), RelayConnectionError);
    }
    assert.equal(tried, 1);
  });

  it("asks again no sooner than it was told to", async () => {
    let answers = 0;
    machine.network = async () => {
      answers += 1;
      return Response.json(
        {
          type: "error",
          error: { type: "rate_limit_error", message: "Too many requests." },
          request_id: "req_1",
        },
        { status: 429, headers: { "retry-after": "120" } },
      );
    };
    const session = machine.session();
    await session.start();
    await machine.advance(119_000);
    assert.equal(answers, 1);
    await machine.advance(2_000);
    assert.equal(answers, 2);
    await session.stop();
  });
});

describe("a device session whose relay hangs", () => {
  it("gives up after 15 s, and start goes on", async () => {
    machine.network = hungNetwork;
    const session = machine.session();
    let started = false;
    const start = session.start().then(() => {
      started = true;
    });
    await machine.advance(14_000);
    assert.equal(started, false);
    await machine.advance(2_000);
    await start;
    assert.equal(session.state.kind, "offline");
    const asked = assert.rejects(session.token(), RelayTimeoutError);
    await machine.advance(20_000);
    await asked;
    await machine.stop();
  });

  it("hands out a token that is good anyway after 5 s", async () => {
    const session = machine.session();
    const token = await session.token();
    await machine.advance(23 * hour + 10 * minute);
    machine.network = hungNetwork;
    let given: string | undefined;
    const asked = session.token().then((one) => {
      given = one;
    });
    await machine.advance(4_000);
    assert.equal(given, undefined);
    await machine.advance(2_000);
    await asked;
    assert.equal(given, token);
    await machine.stop();
  });

  it("lets whoever asks leave at any time", async () => {
    machine.network = hungNetwork;
    const session = machine.session();
    const leaving = new AbortController();
    const asked = assert.rejects(session.token({ signal: leaving.signal }), /I left/);
    await machine.settle();
    leaving.abort(new Error("I left"));
    await asked;
    const late = assert.rejects(session.token({ timeoutMs: 1_000 }), RelayTimeoutError);
    await machine.advance(1_000);
    await late;
    await machine.stop();
  });
});

describe("a device session and its store", () => {
  const entry = (kind: string): string =>
    [...machine.store.entries.keys()].find((name) => name.startsWith(kind)) ?? "";

  for (const garbage of ["", "{", "null", "[]", '"text"', '{"v":1}', '{"v":2,"token":"x"}', "\0"]) {
    it(`with ${JSON.stringify(garbage)} for a token enrolls again as the same device`, async () => {
      const { deviceId } = await machine.session().identity();
      await machine.session().token();
      machine.store.entries.set(entry("token"), garbage);
      const session = machine.session();
      await works(await session.token());
      assert.equal((await session.identity()).deviceId, deviceId);
      assert.ok(machine.types().includes("store_failed"));
    });

    it(`with ${JSON.stringify(garbage)} for an identity becomes a new device when it must renew`, async () => {
      const { deviceId } = await machine.session().identity();
      await machine.session().token();
      machine.store.entries.set(entry("identity"), garbage);
      await machine.advance(23 * hour + minute);
      const session = machine.session();
      await works(await session.token());
      assert.notEqual((await session.identity()).deviceId, deviceId);
    });
  }

  it("with a token that somebody changed gets a good one once the relay refuses it", async () => {
    await machine.session().token();
    const stored = JSON.parse(machine.store.entries.get(entry("token")) ?? "{}");
    const tampered = `${stored.token.slice(0, -4)}AAAA`;
    machine.store.entries.set(entry("token"), JSON.stringify({ ...stored, token: tampered }));
    const session = machine.session();
    const given = await session.token();
    assert.equal(given, tampered);
    assert.equal((await relay.ask(given)).status, 401);
    await machine.advance(minute);
    session.reject(given);
    await works(await session.token());
  });

  it("with a token that no header takes does not hand it out", async () => {
    await machine.session().token();
    const stored = JSON.parse(machine.store.entries.get(entry("token")) ?? "{}");
    for (const token of ["a\nb", "", "ü", 7, "x".repeat(9000)]) {
      machine.store.entries.set(entry("token"), JSON.stringify({ ...stored, token }));
      await works(await machine.session().token());
    }
  });

  it("that cannot be read goes on in memory, and says so without telling what it holds", async () => {
    machine.store.broken = true;
    const session = machine.session();
    await session.start();
    const token = await session.token();
    await works(token);
    await machine.advance(24 * hour);
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
    const told = JSON.stringify([machine.events, machine.lines]);
    assert.match(told, /goes on in memory/);
    assert.ok(!told.includes("planted"));
    await session.stop();
  });

  it("that breaks while renewing leaves no old token behind to be brought back", async () => {
    const session = machine.session();
    await session.token();
    const { set } = machine.store;
    machine.store.set = async () => {
      throw new Error("full");
    };
    await machine.advance(23 * hour + minute);
    const fresh = await session.token();
    machine.store.set = set;
    assert.equal(entry("token"), "");
    assert.equal(await session.token(), fresh);
  });

  it("of another relay is left alone", async () => {
    await machine.session().token();
    const other = machine.session({ relayUrl: "http://other.internal" });
    const before = new Map(machine.store.entries);
    await other.token();
    for (const [name, value] of before) {
      assert.equal(machine.store.entries.get(name), value);
    }
    assert.equal(machine.store.entries.size, 4);
  });

  it("that was put back from a backup goes on with its key, and takes no other process's token", async () => {
    const session = machine.session();
    await session.token();
    const old = machine.store.entries.get(entry("token")) ?? "";
    await machine.advance(23 * hour + minute);
    const fresh = await session.token();
    await machine.advance(5 * minute);
    // A backup is put back.
    machine.store.entries.set(entry("token"), old);
    const restored = machine.session();
    const own = await restored.token();
    assert.notEqual(own, fresh);
    await works(own);
    await works(fresh);
    assert.equal(count("/bootstrap"), 1);
  });

  it("keeps its sign-in when the answer to a renewal is lost", async () => {
    const session = machine.session();
    await session.start();
    let lost = 0;
    machine.network = async (...request) => {
      if (lost > 0) {
        return deadNetwork(...request);
      }
      const response = await fetch(...request);
      if (String(request[0]).endsWith("/refresh")) {
        lost += 1;
        return deadNetwork(...request);
      }
      return response;
    };
    await machine.advance(23 * hour);
    assert.equal(lost, 1);
    await machine.advance(10 * minute);
    machine.network = fetch;
    await machine.advance(10 * minute);
    await works(await session.token());
    assert.equal(count("/bootstrap"), 1);
    await session.stop();
  });
});

/** A server that is no relay. */
const serve = async (t: TestContext, listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const sessionAt = (relayUrl: string, store = createMemoryStore()) =>
  new DeviceSession({ relayUrl, store, environment: {}, enrollmentCode: "SECRET-CODE" });

describe("a device session sent to a wrong address", () => {
  it("follows no redirect: neither code nor token goes elsewhere", async (t) => {
    let elsewhere = 0;
    const target = await serve(t, (_request, response) => {
      elsewhere += 1;
      response.end();
    });
    for (const status of [301, 302, 307, 308]) {
      const url = await serve(t, (_request, response) => {
        response.writeHead(status, { location: `${target}/bootstrap` }).end();
      });
      await assert.rejects(sessionAt(url).token(), /redirect.*not followed/);
    }
    assert.equal(elsewhere, 0);
  });

  const pages: [string, RequestListener][] = [
    ["a web page", (_request, response) => response.end("<html>Welcome")],
    ["nothing", (_request, response) => response.writeHead(204).end()],
    ["a 404", (_request, response) => response.writeHead(404).end("not here")],
    ["a 403 of a proxy", (_request, response) => response.writeHead(403).end("<html>no")],
    ["a 502", (_request, response) => response.writeHead(502).end()],
    ["JSON of another kind", (_request, response) => response.end('{"wrapper_token":7}')],
    [
      "a token that no header takes",
      (_request, response) =>
        response.end('{"wrapper_token":"a\\nb","proxy_base_url":"x","expires_at":"2030-01-01"}'),
    ],
    [
      "an answer without end",
      (_request, response) => {
        const timer = setInterval(() => response.write(Buffer.alloc(65_536, 32)), 1);
        response.on("close", () => clearInterval(timer));
      },
    ],
  ];
  for (const [what, listener] of pages) {
    it(`that answers ${what} says that this is no relay`, async (t) => {
      const session = sessionAt(await serve(t, listener));
      await assert.rejects(session.token(), (error: Error) => {
        assert.ok(!(error instanceof SignedOutError), error.message);
        assert.match(error.message, /relay|larger than/i);
        assert.ok(!error.message.includes("SECRET-CODE"));
        return true;
      });
      assert.equal(session.state.kind, "offline");
    });
  }

  it("where nobody listens says so", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const session = sessionAt(`http://127.0.0.1:${port}`);
    await assert.rejects(session.token(), /No connection.*is the address right/);
  });

  it("is refused before anything is sent when the address cannot be good", () => {
    const bad: [string, RegExp][] = [
      ["", /No relay is named/],
      ["relay.example.com", /begins with https/],
      ["ftp://relay.example.com", /begins with https/],
      ["http://relay.example.com", /public host.*Use https/],
      ["http://8.8.8.8:3001", /public host/],
      ["http://[2001:db8::1]", /public host/],
      ["https://user:pw@relay.example.com", /no user name/],
      ["https://relay.example.com/?a=b", /address only/],
      ["https://relay.example.com/v1", /\/v1/],
    ];
    for (const [relayUrl, says] of bad) {
      assert.throws(
        () => sessionAt(relayUrl),
        (error: unknown) => error instanceof RelayConfigurationError && says.test(error.message),
        relayUrl,
      );
    }
    for (const relayUrl of [
      "https://relay.example.com",
      "http://10.0.0.7:3001",
      "http://[::1]:1",
    ]) {
      assert.equal(sessionAt(relayUrl).relayUrl, relayUrl);
    }
  });
});
