/** The shipped scripts on a router of the interpreter, against the real relay. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it, type TestContext } from "node:test";
import { commands, sharedSecret, startRouters } from "./harness/routers.ts";
import { configure, installedRouter, kinds, type Router } from "./routers-rsc-router.ts";

/** A command as the router prints it: each line behind a mark. */
const shown = (text: string): string => text.replace(/^/gm, "  > ");

const read = "/ip address print";
const write = '/ip address add address=192.168.90.1/24 interface="bridge"\n/ip address print';

for (const kind of kinds) {
  describe(`RouterOS ${kind.version} and the relay`, { concurrency: 3 }, () => {
    it("follow the first guide to the end, with the brackets RouterOS wants", async (t) => {
      const { url, upstream } = await startRouters(t, {
        env: { CLAUDE_RELAY_HANDSHAKE_SECRET: "your-secret-key" },
      });
      const { hostname, port } = new URL(url);
      const router = await installedRouter({ ...kind, cloud: { publicAddress: hostname } });
      const typed = async (...lines: string[]) => {
        for (const line of lines) {
          await router.run(line);
        }
      };
      await typed(
        "/ip cloud set ddns-enabled=yes",
        "/ip cloud print",
        ":put [/ip cloud get public-address]",
        ":put [/ip cloud get dns-name]",
        ":global ClaudeRelayEnabled true",
        ":global ClaudeRelayUseCloud true",
        `:global ClaudeRelayCloudPort ${port}`,
        ':global ClaudeRelayHandshakeSecret "your-secret-key"',
        "/system script run bot-config",
        "/system script run modules/claude-relay",
        ":global ClaudeRelayInitCloud\n[$ClaudeRelayInitCloud]",
        ':global ClaudeRelayURL\n:put ("Service URL: " . $ClaudeRelayURL)',
        ":global ClaudeRelayHandshake\n[$ClaudeRelayHandshake]",
        `/tool fetch url="${url}/health"`,
        '/ip firewall filter add chain=input protocol=tcp dst-port=8899 \\\n  action=accept comment="Claude Relay Cloud"',
      );
      assert.ok(router.put.includes(`Service URL: ${url}`));
      assert.equal(router.put.filter((line) => /handshake accepted/.test(line)).length, 2);
      upstream.answerWith(commands(read));
      await typed(':global ClaudeRelayAsk\n[$ClaudeRelayAsk "which addresses"]');
      assert.ok(router.put.includes(shown(read)));
      // What the guide has and RouterOS does not: docs/routers.md says what to type instead.
      for (const line of [
        ':global ClaudeRelayHandshakeSecret "your-secret-key"  # Must match Python service',
        ':global ClaudeRelayURL\n:put "Service URL: " . $ClaudeRelayURL',
        ":put [/ip cloud get ddns-name]",
      ]) {
        await assert.rejects(router.run(line), line);
      }
    });

    it("go from words to a preview, a code, and exactly that text run once", async (t) => {
      const { router, upstream, relay } = await named(t);
      upstream.answerWith(commands(write, "Adds the address, shows all."));
      await router.call("ClaudeRelayAsk", ['give "bridge" an address'], { user: "ann" });
      assert.ok(router.put.includes(shown(write)));
      assert.ok(router.put.includes("  | Adds the address, shows all."));
      assert.deepEqual(ran(router), []);
      const code = codeOf(router);
      await router.call("ClaudeRelayConfirm", [code]);
      assert.deepEqual(ran(router), [
        {
          command: "/ip address add",
          parameters: { address: "192.168.90.1/24", interface: "bridge" },
        },
        { command: read, parameters: {} },
      ]);
      await assert.rejects(router.call("ClaudeRelayConfirm", [code]), /not the code/);
      const { body } = await relay.admin("/admin/audit?action=router.confirm");
      assert.deepEqual(
        body.data.map((row: { outcome: string; subject: string }) => [row.subject, row.outcome]),
        [["office", "ok"]],
      );
    });

    it("run a read by themselves only when both agree", async (t) => {
      const { router, upstream } = await named(t, { CLAUDE_RELAY_ROUTER_RUN_READS: "true" });
      upstream.answerWith(commands(read));
      await router.call("ClaudeRelayAsk", ["show addresses"]);
      assert.deepEqual(ran(router), []);
      await router.run(":global ClaudeRelayAutoExecute true");
      await router.call("ClaudeRelayAsk", ["show addresses"]);
      assert.equal(ran(router).length, 1);
      upstream.answerWith(commands(write));
      await router.call("ClaudeRelayAsk", ["add one"]);
      assert.equal(ran(router).length, 1);
    });

    it("refuse what is forbidden, with the reason and without a code", async (t) => {
      const { router, upstream } = await named(t);
      for (const script of [
        "/user print",
        `${read}; :execute "/system reboot"`,
        "/system reset-configuration",
      ]) {
        upstream.answerWith(commands(script));
        await assert.rejects(router.call("ClaudeRelayAsk", ["do it"]), /forbidden_command: /);
      }
      assert.deepEqual(router.put, []);
      assert.deepEqual(ran(router), []);
    });

    it("explain what failed", async (t) => {
      const { router, upstream } = await named(t);
      upstream.answerWith(
        commands('/ip address remove [find where comment="x"]; /ip address remove "nobody"'),
      );
      await router.call("ClaudeRelayAsk", ["remove it"]);
      await assert.rejects(router.call("ClaudeRelayConfirm", [codeOf(router)]), /command failed/);
      upstream.answerWith({ suggestion: "There is no such item." });
      await router.call("ClaudeRelayExplain");
      assert.equal(router.put.at(-1), "There is no such item.");
      assert.match(JSON.stringify(upstream.asked.at(-1)), /no such item/);
    });

    it("agree on a challenge when the router's clock is off", async (t) => {
      const { router } = await named(t, {}, { clock: () => Date.now() - 86_400_000 });
      await router.call("ClaudeRelayInitCloud");
      assert.deepEqual(
        router.fetches.map(({ url }) => new URL(url).pathname),
        ["/handshake", "/handshake/challenge", "/handshake"],
      );
      assert.match(router.put.at(-1) ?? "", /handshake accepted/);
    });

    it("part at a wrong secret, a wrong name and a revoked router", async (t) => {
      const { router, relay } = await named(t);
      await router.run(':global ClaudeRelayRouterId "stranger"');
      await assert.rejects(router.call("ClaudeRelayInitCloud"), /signature_invalid/);
      await router.run(':global ClaudeRelayRouterId "office"');
      await router.call("ClaudeRelayInitCloud");
      await relay.admin("/admin/routers/office", { method: "DELETE" });
      await assert.rejects(router.call("ClaudeRelayAsk", ["x"]), /router_revoked/);
      await router.run(`:global ClaudeRelayHandshakeSecret "crr_${"A".repeat(43)}"`);
      await assert.rejects(router.call("ClaudeRelayInitCloud"), /signature_invalid/);
    });

    it("find each other again after the relay was started anew, at another address even", async (t) => {
      const first = await named(t);
      first.upstream.answerWith(commands(read));
      await first.router.call("ClaudeRelayAsk", ["x"]);
      const code = codeOf(first.router);
      await first.relay.kill();
      const { dataDir, upstream } = first;
      const { url } = await startRouters(t, { dataDir, upstream });
      await first.router.run(`:global ClaudeRelayURL "${url}"`);
      // Codes end with the process that gave them.
      await assert.rejects(first.router.call("ClaudeRelayConfirm", [code]), /confirm_invalid/);
      await first.router.call("ClaudeRelayAsk", ["y"]);
      await first.router.call("ClaudeRelayConfirm", [codeOf(first.router)]);
      assert.equal(ran(first.router).length, 1);
    });

    it("shake hands once more by themselves when the session is gone", async (t) => {
      const { router, upstream } = await named(t);
      upstream.answerWith(commands(read));
      await router.call("ClaudeRelayAsk", ["x"]);
      await router.run(
        `:global ClaudeRelaySession\n:set ($ClaudeRelaySession->"id") "rs_${"0".repeat(32)}"`,
      );
      await router.call("ClaudeRelayAsk", ["y"]);
      const paths = router.fetches.map(({ url }) => new URL(url).pathname);
      assert.deepEqual(paths, [
        "/handshake",
        "/process-command",
        "/process-command",
        "/handshake",
        "/process-command",
      ]);
    });

    it("wait for a slow answer by polling its job", async (t) => {
      const late = Promise.withResolvers<object>();
      const delay = async () => late.resolve(commands(read));
      const { router, upstream } = await named(t, {}, { delay });
      upstream.answerWith(() => late.promise);
      await router.call("ClaudeRelayAsk", ["x"]);
      assert.ok(router.fetches.some(({ url }) => url.includes("/jobs/j_")));
      assert.ok(router.put.includes(shown(read)));
    });

    it("let nobody in between change a reply, replay one or answer in the relay's place", async (t) => {
      const { router, upstream, url } = await named(t);
      upstream.answerWith(commands(write));
      for (const [change, why] of [
        [(body: string) => body.replace("192.168.90.1", "192.168.66.6"), /changed on its way/],
        [(body: string) => body.replace(/"mac":"./, '"mac":"g'), /changed on its way/],
        [(body: string) => JSON.stringify(JSON.parse(JSON.parse(body).payload)), /not sealed/],
        [(_body: string, earlier: string[]) => earlier.at(-2) ?? "", /changed on its way/],
        [() => '{"success":false,"code":"x","error":"y"}', /unsealed/],
      ] as const) {
        const earlier: string[] = [];
        const between = await standBetween(t, url, (body, path) => {
          const replies = path === "/process-command" ? earlier.push(body) : 0;
          return replies > 1 ? change(body, earlier) : body;
        });
        await router.run(`:global ClaudeRelayURL "${between}"`);
        await router.call("ClaudeRelayAsk", ["x"]);
        await assert.rejects(router.call("ClaudeRelayConfirm", [codeOf(router)]), why);
        assert.deepEqual(ran(router), []);
      }
    });

    it("take a request that was sent before only once", async (t) => {
      const { router, upstream } = await named(t);
      upstream.answerWith(commands(read));
      await router.call("ClaudeRelayAsk", ["x"]);
      const sent = router.fetches.at(-1);
      assert.ok(sent);
      const again = await fetch(sent.url, {
        method: "POST",
        headers: sent.headers,
        body: sent.body,
      });
      const said = (await again.json()) as { code: string; payload?: string };
      assert.deepEqual([said.code, said.payload], ["sequence_invalid", undefined]);
      const handshake = router.fetches[0];
      assert.ok(handshake);
      const { url, headers, body } = handshake;
      const reply = await fetch(url, { method: "POST", headers, body });
      assert.equal(((await reply.json()) as { code: string }).code, "nonce_reused");
    });

    it("speak TLS where /ip cloud leads outside, when the router has the relay's authority", async (t) => {
      const place = mkdtempSync(join(tmpdir(), "claude-relay-rsc-"));
      t.after(() => rmSync(place, { recursive: true }));
      const [cert, key] = [join(place, "cert.pem"), join(place, "key.pem")];
      const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x -addext subjectAltName=DNS:office.example -keyout ${key} -out ${cert}`;
      execFileSync("openssl", words.split(" "), { stdio: "ignore" });
      const env = { CLOUD_TLS_CERT: cert, CLOUD_TLS_KEY: key };
      const { url, upstream } = await startRouters(t, { env });
      upstream.answerWith(commands(read));
      for (const certificates of [[readFileSync(cert, "utf8")], []]) {
        // Once to see whether it is an address of this network, which it is not; then to get there.
        const asked: string[] = [];
        const resolve = (host: string) => (asked.push(host) === 1 ? "203.0.113.5" : "127.0.0.1");
        const cloud = { dnsName: "office.example" };
        const router = await installedRouter({ ...kind, certificates, resolve, cloud });
        await configure(router, {
          ClaudeRelayEnabled: true,
          ClaudeRelayUseCloud: true,
          ClaudeRelayCloudPort: Number(new URL(url).port),
          ClaudeRelayHandshakeSecret: sharedSecret,
        });
        if (certificates.length === 0) {
          await assert.rejects(router.call("ClaudeRelayInitCloud"), /no relay answers/);
        } else {
          await router.call("ClaudeRelayAsk", ["x"]);
          assert.match(String(router.global("ClaudeRelayURL")), /^https:\/\/office\.example:/);
          assert.ok(router.put.includes(shown(read)));
        }
        assert.deepEqual(
          new Set(router.fetches.map(({ checkCertificate }) => checkCertificate)),
          new Set(["yes-without-crl"]),
        );
      }
    });

    it("find each other at the routers' port alone: the other one is healthy and serves none", async (t) => {
      const { url, relay } = await startRouters(t);
      const router = await installedRouter(kind);
      await configure(router, { ClaudeRelayEnabled: true, ClaudeRelayURL: url });
      assert.equal(await router.call("ClaudeRelayAvailable"), true);
      await router.run(`:global ClaudeRelayURL "${relay.url}"`);
      assert.equal(await router.call("ClaudeRelayAvailable"), false);
    });

    it("speak without a secret on loopback only, as in development", async (t) => {
      const { url, upstream } = await startRouters(t, {
        env: { CLAUDE_RELAY_HANDSHAKE_SECRET: "" },
      });
      upstream.answerWith(commands(read));
      const router = await installedRouter(kind);
      await configure(router, { ClaudeRelayEnabled: true, ClaudeRelayURL: url });
      await router.call("ClaudeRelayAsk", ["x"]);
      await router.call("ClaudeRelayConfirm", [codeOf(router)]);
      assert.equal(ran(router).length, 1);
    });
  });

  /** A relay and a router it knows by name, with the secret that was told once. */
  const named = async (t: TestContext, env: Record<string, string> = {}, options = {}) => {
    const started = await startRouters(t, { env });
    const secret = await started.add("office");
    const router = await installedRouter({ ...kind, ...options });
    await configure(router, {
      ClaudeRelayEnabled: true,
      ClaudeRelayURL: started.url,
      ClaudeRelayRouterId: "office",
      ClaudeRelayHandshakeSecret: secret,
    });
    router.put.length = 0;
    return { ...started, router };
  };
}

const ran = (router: Router) =>
  router.executed.filter(({ command }) => command.startsWith("/ip address"));

/** The code of the last preview, as a person reads it off the terminal. */
const codeOf = (router: Router): string =>
  /ClaudeRelayConfirm "([0-9A-Z-]+)"/.exec(router.put.at(-1) ?? "")?.[1] ?? assert.fail("no code");

/** Someone between router and relay who may change every reply. Gives where to connect instead. */
const standBetween = async (
  t: TestContext,
  url: string,
  change: (body: string, path: string) => string,
): Promise<string> => {
  const server = createServer(async (request, response) => {
    const path = request.url ?? "/";
    const body = await text(request);
    const headers = Object.entries(request.headers)
      .filter(([name]) => name.startsWith("x-") || name === "content-type")
      .map(([name, value]) => [name, String(value)] as [string, string]);
    const answer = await fetch(`${url}${path}`, {
      method: request.method ?? "GET",
      headers,
      ...(body !== "" && { body }),
    });
    response.setHeader("content-type", "application/json");
    response.end(change(await answer.text(), path));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
