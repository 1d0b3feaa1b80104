/** The routers' listener: the guide as written, its own routes and no others, TLS, and what stops a start. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { connect } from "node:tls";
import { failToStart } from "./harness/failing-start.ts";
import { freePort } from "./harness/loopback.ts";
import { sendRaw } from "./harness/raw-http.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { RouterClient } from "./harness/router-client.ts";
import { commands, routersUrl, sharedSecret, startRouters } from "./harness/routers.ts";

const folder = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), "claude-relay-test-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

const started = async (
  t: TestContext,
  env: Record<string, string>,
  dataDir = folder(t),
): Promise<Relay> => {
  const relay = await startRelay({ env, dataDir });
  t.after(() => relay.kill());
  return relay;
};

describe("the routers' guide, as written,", { concurrency: 4 }, () => {
  const works = async (relay: Relay, port: number): Promise<void> => {
    const url = `http://127.0.0.1:${port}`;
    assert.equal(routersUrl(relay), url);
    const health = await (await fetch(`${url}/health`)).json();
    assert.equal((health as { status: string }).status, "healthy");
    const router = new RouterClient({ url, secret: "your-secret-key", id: "lab" });
    const answer = await router.handshake();
    assert.deepEqual(
      [answer.success, answer.service, answer.cloud_port],
      [true, "claude-relay", port],
    );
    const asked = await router.ask("how is the router?");
    assert.equal(asked.routeros_command, "/system resource print");
    assert.equal(asked.classification, "read");
    assert.match(asked.explanation, /simulator/);
  };

  it("works with its environment variables", async (t) => {
    const port = await freePort();
    const relay = await started(t, {
      CLAUDE_RELAY_ENABLE_CLOUD: "true",
      CLAUDE_RELAY_CLOUD_PORT: String(port),
      CLAUDE_RELAY_HANDSHAKE_SECRET: "your-secret-key",
    });
    await works(relay, port);
    assert.ok(relay.logs.some(({ msg }) => /CLAUDE_RELAY_HANDSHAKE_SECRET is weak/.test(msg)));
  });

  it("works with its configuration file", async (t) => {
    const [port, dataDir] = [await freePort(), folder(t)];
    const file = {
      service: { cloud_enabled: true, cloud_port: port },
      security: { handshake_secret: "your-secret-key" },
    };
    writeFileSync(join(dataDir, "claude-relay-config.json"), JSON.stringify(file));
    const relay = await started(t, {}, dataDir);
    await works(relay, port);
    assert.ok(!JSON.stringify(relay.logs).includes("your-secret-key"));
  });
});

describe("the routers' listener", { concurrency: 4 }, () => {
  it("serves its own routes and nothing else, which the main one does not serve", async (t) => {
    const { relay, url } = await startRouters(t);
    const main = [
      "/v1/messages",
      "/v1/complete",
      "/bootstrap",
      "/admin/usage",
      "/metrics",
      "/readyz",
      "/healthz",
      "/",
      "/jobs/",
      "/jobs/a/b",
      "/health?x=1",
      "/execute",
      "/auth/poll",
    ];
    for (const path of main) {
      for (const method of ["GET", "POST"]) {
        const response = await fetch(`${url}${path}`, { method });
        assert.equal(response.status, 404, `${method} ${path}`);
        assert.equal(((await response.json()) as { success: boolean }).success, false);
      }
    }
    assert.equal((await fetch(`${url}/handshake`)).status, 404, "by its own method only");
    const own = [
      "/handshake",
      "/handshake/challenge",
      "/process-command",
      "/suggest-error-fix",
      `/jobs/j_${"0".repeat(32)}`,
    ];
    for (const path of own) {
      for (const method of ["GET", "POST"]) {
        assert.equal((await fetch(`${relay.url}${path}`, { method })).status, 404, path);
      }
    }
    assert.equal((await fetch(`${relay.url}/readyz`)).status, 200);
  });

  it("is not for web pages, and shares nothing with them", async (t) => {
    const { url } = await startRouters(t);
    const page = { origin: "http://evil.example" };
    const response = await fetch(`${url}/handshake`, { method: "POST", headers: page, body: "{}" });
    assert.equal(response.status, 403);
    const plain = await fetch(`${url}/health`);
    for (const { headers } of [response, plain]) {
      assert.equal(headers.get("access-control-allow-origin"), null);
    }
  });

  it("answers what is too large or no JSON in words a router can read", async (t) => {
    const { url, router } = await startRouters(t);
    const client = router();
    const huge = "x".repeat(70_000);
    for (const path of ["/handshake", "/process-command"]) {
      const { status, json } = await client.send({ method: "POST", path, body: huge });
      assert.deepEqual([status, json.code], [200, "too_large"]);
    }
    for (const body of ["", "{", "[1]", '"x"', Buffer.from([0x22, 0xff, 0x22])]) {
      const { status, json } = await client.send({ method: "POST", path: "/handshake", body });
      assert.deepEqual([status, json.code], [200, "invalid_request"], String(body));
    }
    const { statuses } = await sendRaw(Number(new URL(url).port), "GET /health\r\n\r\n");
    assert.deepEqual(statuses, [400]);
  });

  it("is closed unless it is enabled", async (t) => {
    const relay = await started(t, { CLAUDE_RELAY_CLOUD_PORT: String(await freePort()) });
    assert.throws(() => routersUrl(relay), /not open/);
  });

  it("stops the start, with the setting's name, when its port is taken", async (t) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await failToStart(folder(t), {
      COMPLETE_UPSTREAM: "simulator",
      CLAUDE_RELAY_ENABLE_CLOUD: "true",
      CLAUDE_RELAY_CLOUD_PORT: String(port),
    });
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`CLAUDE_RELAY_CLOUD_PORT ${port} on 127.0.0.1 is taken`));
  });

  it("after a restart knows its routers, who simply shake hands again", async (t) => {
    const dataDir = folder(t);
    const before = await startRouters(t, { dataDir });
    const own = await before.add("own");
    const old = await before.connected({ id: "own", secret: own });
    assert.equal(await before.relay.stop(), 0);
    const { url, upstream } = await startRouters(t, { dataDir });
    upstream.answerWith(commands("/ip address print"));
    const moved = new RouterClient({ url, id: "own", secret: own });
    moved.session = old.session;
    const { json } = await moved.send(moved.sign("POST", "/process-command", "{}"));
    assert.equal(json.code, "session_unknown");
    assert.equal((await moved.handshake()).success, true);
    assert.equal((await moved.ask("show")).success, true);
  });
});

/** A certificate for localhost and its key, written to these files. */
const certify = (cert: string, key: string): Buffer => {
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${cert}`;
  execFileSync("openssl", words.split(" "), { stdio: "ignore" });
  return readFileSync(cert);
};

/** The fingerprint of the certificate that a new connection is shown. */
const shown = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(url);
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", reject);
  });

describe("TLS on the routers' listener", () => {
  it("is spoken with the certificate given, and with a renewed one without a restart", async (t) => {
    const place = folder(t);
    const [cert, key] = [join(place, "cert.pem"), join(place, "key.pem")];
    const ca = certify(cert, key);
    const env = { CLOUD_TLS_CERT: cert, CLOUD_TLS_KEY: key };
    const { relay, upstream, url, connected } = await startRouters(t, { env });
    assert.match(url, /^https:/);
    upstream.answerWith(commands("/ip address print"));
    const router = await connected({ ca });
    assert.equal((await router.ask("show")).success, true);
    await assert.rejects(
      connected({ ca: certify(`${cert}2`, `${key}2`) }),
      /self-signed|certificate/,
    );

    const first = await shown(url);
    writeFileSync(cert, "half a certificate");
    const kept = await relay.logged(({ msg }) => msg.endsWith("the old one stays"));
    assert.match(String(kept["reason"]), /CLOUD_TLS_CERT .*no certificate/);
    assert.equal(await shown(url), first);
    const renewed = certify(cert, key);
    await relay.logged(({ msg }) => msg.endsWith("has a new TLS certificate"));
    assert.notEqual(await shown(url), first);
    assert.equal(
      (await (await connected({ ca: renewed, id: "branch" })).ask("show")).success,
      true,
    );
    assert.equal(await relay.stop(), 0);
    assert.ok(!JSON.stringify(relay.logs).includes(sharedSecret));
  });
});
