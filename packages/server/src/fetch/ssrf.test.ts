/**
 * The guard against everything that should not get through. A canary stands for the machine's inner services:
 * whatever address the guard decides to connect to, the connection lands there and is counted.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { before, describe, it, type TestContext } from "node:test";
import { Refusal } from "../pipeline/refusal.ts";
import { isPublicAddress } from "./guard/public-address.ts";
import { guardedFetch } from "./guarded-fetch.ts";
import { createPageFetch } from "./page-fetch.ts";
import { badUrls, innerHosts, innerNames } from "./test-payloads.ts";
import { type Canary, fetchPorts, pageRequest, startCanary } from "./test-setup.ts";

/** The real guard and rules, every dial of which ends at the canary. */
const guardOver = (canary: Canary, names: Readonly<Record<string, readonly string[]>> = {}) =>
  fetchPorts({
    port: canary.port,
    names,
    ports: {
      isPublic: isPublicAddress,
      connect: () => connect({ host: "127.0.0.1", port: canary.port }),
    },
  });

/** The same without the guard's opinion on addresses. */
const guardless = (canary: Canary) =>
  fetchPorts({ port: canary.port, ports: { isPublic: () => true } });

const expectBarred = async (fetched: Promise<unknown>): Promise<void> => {
  await assert.rejects(fetched, (error: unknown) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.code, "invalid_request", error.message);
    assert.doesNotMatch(error.message, /\d+\.\d+\.\d+|::/, "an address is told");
    return true;
  });
};

const schemes = ["http", "https"] as const;
const setLimits = { totalMs: 20_000, concurrent: 8 };

describe("nothing inside is reached", () => {
  it("through an address in any notation", async (t) => {
    const canary = await startCanary(t);
    for (const host of innerHosts) {
      for (const scheme of schemes) {
        await expectBarred(guardedFetch(pageRequest(`${scheme}://${host}/`), guardOver(canary)));
      }
    }
    assert.equal(canary.connections(), 0);
  });

  it("through a name that resolves to an inner address, in whole or in part", async (t) => {
    const canary = await startCanary(t);
    const names = Object.fromEntries(
      Object.entries(innerNames).map(([name, addresses]) => [
        URL.parse(`http://${name}/`)?.hostname ?? name,
        addresses,
      ]),
    );
    for (const name of Object.keys(innerNames)) {
      await expectBarred(guardedFetch(pageRequest(`http://${name}/`), guardOver(canary, names)));
    }
    assert.equal(canary.connections(), 0);
  });

  it("through a bad url", async (t) => {
    const canary = await startCanary(t);
    for (const url of badUrls) {
      await expectBarred(guardedFetch(pageRequest(url), guardOver(canary)));
    }
    assert.equal(canary.connections(), 0);
  });

  it("by asking the server's own fetch, with the canary's port and without", async (t) => {
    const canary = await startCanary(t);
    const { fetchPage, close } = createPageFetch({ userAgent: "test", limits: setLimits });
    t.after(close);
    const hosts = [
      "127.0.0.1",
      "localhost",
      "localhost.",
      "[::1]",
      "2130706433",
      "0",
      "[::7f00:1]",
    ];
    for (const host of [...hosts, "[::ffff:127.0.0.1]", "foo.localhost", "127.1"]) {
      await expectBarred(fetchPage(pageRequest(`http://${host}:${canary.port}/`)));
      await expectBarred(fetchPage(pageRequest(`http://${host}/`)));
    }
    assert.equal(canary.connections(), 0);
  });

  it("by what the environment says: proxies, unchecked TLS", async (t) => {
    const canary = await startCanary(t);
    setEnvironment(t, {
      HTTP_PROXY: `http://127.0.0.1:${canary.port}`,
      http_proxy: `http://127.0.0.1:${canary.port}`,
      HTTPS_PROXY: `http://127.0.0.1:${canary.port}`,
      ALL_PROXY: `http://127.0.0.1:${canary.port}`,
      NODE_USE_ENV_PROXY: "1",
      NODE_TLS_REJECT_UNAUTHORIZED: "0",
    });
    const { fetchPage, close } = createPageFetch({ userAgent: "test", limits: setLimits });
    t.after(close);
    for (const scheme of schemes) {
      await expectBarred(fetchPage(pageRequest(`${scheme}://127.0.0.1/`)));
      await expectBarred(fetchPage(pageRequest(`${scheme}://relay-test.invalid/`)));
    }
    assert.equal(canary.connections(), 0);
  });
});

describe("the canary can be reached", () => {
  it("by the same payloads when the guard's opinion is taken away", async (t) => {
    const canary = await startCanary(t);
    let reached = 0;
    for (const host of ["127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "①②⑦.⓪.⓪.①"]) {
      const page = await guardedFetch(pageRequest(`http://${host}/`), guardless(canary));
      assert.equal(page.html, "canary");
      reached += 1;
    }
    const named = await guardedFetch(pageRequest("http://localhost/"), guardless(canary));
    assert.equal(named.html, "canary");
    assert.equal(canary.connections(), reached + 1);
  });
});

describe("an address is judged again", () => {
  let inner: readonly string[] = [];
  before(() => {
    inner = [
      "http://127.0.0.2/",
      "http://10.0.0.1/",
      "http://[::1]/",
      "http://169.254.169.254/latest/",
      "http://2130706434/",
      "http://inner.example/",
      "http://[::ffff:7f00:2]/",
      "//168.63.129.16/",
      "http://100.100.100.200/",
      "file:///etc/passwd",
      "http://site.example:22/",
      "http://u:p@site.example/",
      "gopher://site.example/",
    ];
  });

  it("at each redirect, whatever its status", async (t) => {
    for (const status of [301, 302, 303, 307, 308]) {
      for (const location of inner) {
        const canary = await startCanary(t, (_request, response) => {
          response.writeHead(status, { location }).end();
        });
        const ports = fetchPorts({ port: canary.port, names: { "inner.example": ["127.0.0.2"] } });
        await expectBarred(guardedFetch(pageRequest("http://site.example/"), ports));
        assert.equal(canary.connections(), 1, location);
      }
    }
  });

  it("at the last of several redirects", async (t) => {
    const canary = await startCanary(t, (request, response) => {
      const step = Number(request.url?.slice(1));
      const location = step < 4 ? `/${step + 1}` : "http://10.0.0.1/";
      response.writeHead(302, { location }).end();
    });
    await expectBarred(
      guardedFetch(pageRequest("http://site.example/1"), fetchPorts({ port: canary.port })),
    );
    assert.equal(canary.connections(), 4);
  });

  it("when a name moves inside between two hops", async (t) => {
    const canary = await startCanary(t, (_request, response) => {
      response.writeHead(302, { location: "/again" }).end();
    });
    const answers = [["127.0.0.1"], ["10.0.0.1"]];
    const ports = fetchPorts({
      port: canary.port,
      ports: { lookup: async () => answers.shift() ?? [] },
    });
    await expectBarred(guardedFetch(pageRequest("http://rebind.example/"), ports));
    assert.equal(canary.connections(), 1);
  });

  it("never by a second lookup in the same hop: what was checked is what is connected to", async (t) => {
    const canary = await startCanary(t);
    const asked: string[] = [];
    const dialled: string[] = [];
    const ports = fetchPorts({
      port: canary.port,
      ports: {
        lookup: async (name) => {
          asked.push(name);
          return asked.length === 1 ? ["127.0.0.1"] : ["10.0.0.1"];
        },
        connect: (host) => {
          dialled.push(host);
          return connect({ host, port: canary.port });
        },
      },
    });
    await guardedFetch(pageRequest("http://rebind.example/"), ports);
    assert.deepEqual(asked, ["rebind.example"]);
    assert.deepEqual(dialled, ["127.0.0.1"]);
  });

  it("on the connected socket: a network that leads elsewhere gets no request", async (t) => {
    const canary = await startCanary(t);
    const ports = guardOver(canary, { "site.example": ["93.184.215.14"] });
    await expectBarred(guardedFetch(pageRequest("http://site.example/"), ports));
    assert.deepEqual(canary.requests(), []);
  });

  it("and a name that does not exist is answered like one that is private", async (t) => {
    const canary = await startCanary(t);
    const missing = Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" });
    const messages: string[] = [];
    for (const lookup of [async () => Promise.reject(missing), async () => ["10.0.0.1"]]) {
      const ports = { ...guardOver(canary), lookup };
      await guardedFetch(pageRequest("http://intranet.example/"), ports).catch((error: Error) =>
        messages.push(`${error.name} ${error.message}`),
      );
    }
    assert.equal(messages.length, 2);
    assert.equal(messages[0], messages[1]);
  });
});

const setEnvironment = (t: TestContext, values: Readonly<Record<string, string>>): void => {
  const before = { ...process.env };
  Object.assign(process.env, values);
  t.after(() => {
    for (const name of Object.keys(values)) {
      delete process.env[name];
    }
    Object.assign(process.env, before);
  });
};
