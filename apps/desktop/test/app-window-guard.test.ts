/** What the packaged app's window may not do, and what becomes of its processes. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { isAlive } from "./harness/app.ts";
import { desktopMissing } from "./harness/missing.ts";
import { until } from "./harness/poll.ts";
import { connect, setScene } from "./harness/scene.ts";

/** Calls the shell as the page's own script could. */
const invoke = (command: string, args: object = {}): string =>
  `return window.__TAURI_INTERNALS__.invoke(${JSON.stringify(command)}, ${JSON.stringify(args)})
     .then((answer) => "allowed: " + JSON.stringify(answer), (why) => "refused: " + JSON.stringify(why))`;

describe("the desktop app's window", { skip: desktopMissing }, () => {
  let elsewhere: Server;
  let address = "";
  let visits = 0;

  before(async () => {
    elsewhere = createServer((_, response) => {
      visits += 1;
      response.setHeader("access-control-allow-origin", "*").end("<h1>elsewhere</h1>");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  });
  after(() => elsewhere.close());

  it("stays where it is, opens no other, frames none, and fetches, loads and sends nothing", async (t) => {
    const { open } = await setScene(t);
    const { page } = await open();
    await page.shows("welcome");
    const home = await page.address();
    for (const attempt of [
      `location.href = "${address}"`,
      `location.assign("file:///etc/passwd")`,
      `open("${address}")`,
      `document.body.append(Object.assign(document.createElement("iframe"), { src: "${address}" }))`,
      `document.body.append(Object.assign(document.createElement("img"), { src: "${address}" }))`,
      `document.body.append(Object.assign(document.createElement("script"), { src: "${address}" }))`,
      `const form = Object.assign(document.createElement("form"), { action: "${address}", method: "post" });
       document.body.append(form); form.submit()`,
      `const link = Object.assign(document.createElement("a"), { href: "${address}", download: "x" });
       document.body.append(link); link.click()`,
      `navigator.sendBeacon("${address}", "x")`,
      `new WebSocket("${address.replace("http", "ws")}")`,
    ]) {
      await page.run(`try { ${attempt} } catch {}`);
    }
    const fetched = await page.run(
      `return fetch("${address}").then(() => "allowed", (error) => error.name)`,
    );
    assert.equal(fetched, "TypeError");
    const inline = await page.run(`
      const script = document.createElement("script");
      script.textContent = "globalThis.wasRun = true";
      document.body.append(script);
      try { globalThis.wasRun ??= new Function("return true")(); } catch {}
      return globalThis.wasRun === true`);
    assert.equal(inline, false);
    await page.painted();
    assert.equal(await page.address(), home);
    await page.shows("welcome");
    assert.equal(visits, 0);
    assert.equal(await page.run("return typeof window.__TAURI__"), "undefined");
  });

  it("may call the main process, and no other command of the shell", async (t) => {
    const { open } = await setScene(t);
    const { page } = await open();
    await page.shows("welcome");
    const state = await page.call("state.get");
    assert.match(JSON.stringify(state), /"reply".*"unconfigured"/);
    for (const [method, params] of [
      ["shell.run", {}],
      ["__proto__", {}],
      ["constructor", {}],
      ["link.open", { url: "file:///etc/passwd" }],
      ["link.open", { url: "javascript:alert(1)" }],
      ["conversations.get", { id: "../../etc/passwd" }],
      ["chat.send", { conversationId: "no-such-conversation", text: "x", extra: 1 }],
      ["relay.connect", null],
    ] as const) {
      const answer = await page.call(method, params);
      assert.ok(answer.type === "fault", `${method}: ${JSON.stringify(answer)}`);
      assert.match(answer.fault.code, /^(unknown_method|invalid_params)$/);
    }
    for (const command of [
      "secret_get",
      "plugin:shell|execute",
      "plugin:shell|open",
      "plugin:fs|read_text_file",
      "plugin:window|create",
      "plugin:webview|create_webview_window",
      "plugin:app|version",
      "plugin:path|resolve_directory",
      "plugin:event|emit",
    ]) {
      const answer = await page.run<string>(invoke(command));
      assert.match(answer, /^refused: .*(not allowed|not found)/, command);
    }
  });

  it("takes the main process along, however it ends", async (t) => {
    const { open } = await setScene(t);
    const app = await open();
    await app.page.shows("welcome");
    const main = await app.pid("main");
    process.kill(await app.pid("shell"), "SIGKILL");
    await until("the main process ended", () => !isAlive(main));
    await app.close();

    const other = await open();
    await other.page.shows("welcome");
    const otherMain = await other.pid("main");
    await other.close();
    await until("the main process ended", () => !isAlive(otherMain));
  });

  it("gets a new main process when that one dies, and goes on", async (t) => {
    const { relay, upstream, open, look } = await setScene(t);
    const app = await open();
    const { page } = app;
    await connect(app, relay.url);
    await page.type("composer", "Before");
    await page.click("send");
    const first = await upstream.asked();
    first.say("Half of ");
    await page.shows("answer", /Half of/);
    const main = await app.pid("main");
    process.kill(main, "SIGKILL");
    await first.left;
    await page.shows("banner-notice", /started again/);
    await app.logged(/The main process ended \(signal: 9/);
    await until("another main process runs", async () => (await app.pid("main")) !== main);
    await page.gone("stop");
    await look(app, "main-process-died");
    await page.type("composer", "Are you there?");
    await page.click("send");
    const second = await upstream.asked();
    second.say("Yes, again.");
    second.finish();
    await page.shows("answer", /Yes, again\./);
  });
});
