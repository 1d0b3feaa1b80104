/** The main process and the shell around it: lines, locks, ends. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { connect, deskOf, devicesOf, fault, mintCode, relayOf } from "./harness/main-process.ts";
import { startShell, tokenIn } from "./harness/shell.ts";

describe("the main process and its shell", () => {
  it("leaves out what is no line, answers what is no call with a fault, and goes on", async (t) => {
    const shell = startShell(t, deskOf(t));
    shell.write(
      'garbage\n\n{"type":"call"}\n[]\nnull\n{"type":"secret_reply","id":99,"value":"x"}\n',
    );
    shell.write(`${"x".repeat(9 * 1024 * 1024)}\n`);
    await assert.rejects(shell.callRaw("shell.exec", {}), fault("unknown_method", /no such/));
    await assert.rejects(shell.callRaw("__proto__", {}), fault("unknown_method", /no such/));
    for (const params of [null, 1, [], { address: 1 }, { address: "x", more: 1 }, {}]) {
      await assert.rejects(
        shell.callRaw("relay.connect", params),
        fault("invalid_params", /^relay\.connect: /),
      );
    }
    await assert.rejects(
      shell.call("relay.retry", {}),
      fault("not_connected", /No relay is chosen/),
    );
    assert.match(shell.stderr, /left out \(7 characters\)/);
    assert.match(shell.stderr, /longer than \d+ characters/);
    assert.doesNotMatch(shell.stderr, /garbage/);
    assert.equal(await shell.end(), 0);
  });

  it("ends when its standard input does, also in the middle of connecting", async (t) => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    t.after(() => silent.closeAllConnections());
    t.after(() => silent.close());
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const shell = startShell(t, deskOf(t), { CLAUDE_RELAY_URL: url });
    await shell.until(() => /Bootstrapping/.test(shell.stderr));
    assert.equal((await shell.call("state.get", {})).connection.kind, "connecting");
    assert.equal(await shell.end(), 0);
  });

  it("ends in order when it is asked to by the system, too", async (t) => {
    const shell = startShell(t, deskOf(t));
    await shell.call("conversations.list", {});
    assert.ok(existsSync(join(shell.folder, "desktop.lock")));
    shell.process.kill("SIGTERM");
    const [code] = await once(shell.process, "close");
    assert.equal(code, 0);
    assert.ok(!existsSync(join(shell.folder, "desktop.lock")));
  });

  it("ends too while the keychain waits for its user's password", async (t) => {
    for (const name of [/./, /conversations/]) {
      const shell = startShell(t, deskOf(t));
      shell.keychainHangs = name;
      assert.equal((await shell.call("state.get", {})).connection.kind, "unconfigured");
      const isAsked = (line: string) => line.includes("secret_get") && name.test(line);
      await shell.until(() => shell.output.some(isAsked));
      assert.equal(await shell.end(), 0);
      assert.ok(!existsSync(join(shell.folder, "desktop.lock")), "in order, not cut off");
    }
  });

  it("serves one window at a time, says so to a second, and lets it in after the first", async (t) => {
    const desk = deskOf(t);
    const first = startShell(t, desk);
    await first.call("state.get", {});
    const second = startShell(t, desk);
    await assert.rejects(
      second.call("state.get", {}),
      fault("failed", /open already.*use its window, or close it first/),
    );
    assert.match(second.stderr, /open already/);
    assert.equal(await first.end(), 0);
    await second.until(() => second.output.some((line) => line.includes("secret_get")));
    assert.equal((await second.call("state.get", {})).connection.kind, "unconfigured");
    assert.equal(await second.end(), 0);
  });

  it("takes over at once from one that was killed", async (t) => {
    const desk = deskOf(t);
    const first = startShell(t, desk);
    await first.call("state.get", {});
    await first.kill();
    const second = startShell(t, desk);
    assert.equal((await second.call("state.get", {})).connection.kind, "unconfigured");
    assert.equal(await second.end(), 0);
  });

  it("leaves the sign-in that the command line uses too, when it lets the relay go", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t);
    const shell = startShell(t, desk);
    await connect(shell, relay.url);
    await shell.connected("ready");
    const relays = { [relay.url]: { store: "keychain", made: false } };
    writeFileSync(join(dirname(shell.folder), "relays.json"), JSON.stringify({ relays }));
    await shell.call("relay.disconnect", {});
    assert.ok(tokenIn(desk, relay.url).length > 20);
    await connect(shell, relay.url);
    await shell.connected("ready");
    writeFileSync(join(dirname(shell.folder), "relays.json"), "{}");
    await shell.call("relay.disconnect", {});
    assert.equal(tokenIn(desk, relay.url), undefined);
    assert.equal((await devicesOf(relay)).length, 1);
    assert.equal(await shell.end(), 0);
  });

  it("opens a link with the system's opener, and no link but a web or mail address", async (t) => {
    const desk = deskOf(t);
    writeFileSync(
      join(desk.home, "xdg-open"),
      `#!/bin/sh\necho "$#" "$@" > "${desk.home}/said"\n`,
      {
        mode: 0o755,
      },
    );
    const shell = startShell(t, desk, { PATH: `${desk.home}:${process.env["PATH"]}` });
    if (process.platform === "linux") {
      await shell.call("link.open", { url: "https://example.com/?a=1&b=$(id)" });
      assert.equal(
        readFileSync(join(desk.home, "said"), "utf8"),
        "1 https://example.com/?a=1&b=$(id)\n",
      );
    }
    for (const url of ["file:///etc/passwd", "javascript:alert(1)", "vscode://x", "x", "--help"]) {
      await assert.rejects(
        shell.call("link.open", { url }),
        fault("invalid_params", /Only web and mail addresses/),
      );
    }
    assert.equal(await shell.end(), 0);
  });

  it("keeps a token that comes at the last moment, when the app is closed", async (t) => {
    const relay = await relayOf(t, { BOOTSTRAP: "code" });
    const desk = deskOf(t);
    const shell = startShell(t, desk);
    const late = await lateAnswers(t, relay.url);
    const connecting = connect(shell, `${late.url}/#code=${await mintCode(relay)}`);
    connecting.catch(() => undefined);
    await late.asked;
    const ended = shell.end();
    late.answer();
    assert.equal(await ended, 0);
    assert.ok(tokenIn(desk, late.url).length > 20);
    const again = startShell(t, desk);
    await again.connected("ready");
    assert.equal(await again.end(), 0);
  });

  it("that meets a defect ends with 1 and a line that says where, not what", async (t) => {
    const desk = deskOf(t);
    const defect = join(desk.home, "defect.mjs");
    writeFileSync(defect, "setTimeout(() => { throw new TypeError('s3cret'); }, 300);");
    const shell = startShell(t, desk, { NODE_OPTIONS: `--import=${defect}` });
    const [code] = await once(shell.process, "close");
    assert.equal(code, 1);
    assert.match(shell.stderr, /^claude-relay's main process failed: TypeError at /m);
    assert.doesNotMatch(shell.stderr, /s3cret/);
  });

  it("in a home where nothing can be written says so and goes on", async (t) => {
    const relay = await relayOf(t);
    const desk = deskOf(t, null);
    writeFileSync(join(desk.home, ".config"), "in the way");
    const shell = startShell(t, desk, { CLAUDE_RELAY_URL: relay.url, XDG_CONFIG_HOME: "" });
    await shell.connected("ready");
    const { notices } = await shell.call("state.get", {});
    assert.ok(notices.some((notice) => /folder cannot be made \(\w+\).*writable/.test(notice)));
    await assert.rejects(
      shell.call("settings.set", { theme: "dark" }),
      fault("failed", /settings cannot be written/),
    );
    assert.equal(await shell.end(), 0);
  });
});

/** A relay's front door that holds back the answer to `/bootstrap`. */
const lateAnswers = async (t: TestContext, relayUrl: string) => {
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const server = createServer(async (incoming, outgoing) => {
    const body = Buffer.concat(await incoming.toArray());
    const { method = "GET", url = "/" } = incoming;
    const answer = await fetch(`${relayUrl}${url}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(method === "POST" && { body }),
    });
    const text = await answer.text();
    if (url === "/bootstrap") {
      asked.resolve();
      await gate.promise;
    }
    outgoing.writeHead(answer.status, { "content-type": "application/json" }).end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, asked: asked.promise, answer: () => gate.resolve() };
};
