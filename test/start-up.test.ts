/** The first start, the next one, and a second one at the same time. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { failToStart } from "./harness/failing-start.ts";
import { startRelay } from "./harness/relay.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const noSecrets = { JWT_SECRET: "", ADMIN_TOKEN: "" };
const shownToken = (stderr: string): string | undefined =>
  /Admin token \(shown once.*\):\s+(relay-admin-[\w-]{43})/.exec(stderr)?.[1];

const statusOf = async (url: string, credential: string): Promise<number> =>
  (await fetch(url, { headers: { authorization: `Bearer ${credential}` } })).status;

describe("a start without secrets, in development", () => {
  it("makes them once, shows the admin token once, and keeps tokens good over restarts", async (t) => {
    const dataDir = tempFolder(t);
    const first = await startRelay({ dataDir, env: noSecrets });
    t.after(() => first.process.kill("SIGKILL"));
    const shown = shownToken(first.stderr());
    assert.ok(shown, first.stderr());
    assert.equal(await statusOf(`${first.url}/admin/devices`, shown), 200);
    const token = await first.bootstrap();
    assert.equal(await first.stop(), 0);
    assert.equal(statSync(join(dataDir, "secrets.json")).mode & 0o777, 0o600);

    const second = await startRelay({ dataDir, env: noSecrets });
    t.after(() => second.stop());
    assert.equal(shownToken(second.stderr()), undefined);
    assert.ok(!second.stderr().includes(shown));
    assert.equal(await statusOf(`${second.url}/admin/devices`, shown), 200);
    assert.equal(await statusOf(`${second.url}/admin/usage`, token), 200);
    const logged = JSON.stringify([...first.logs, ...second.logs]);
    assert.ok(!logged.includes(shown) && !logged.includes(token));
  });

  it("shows the admin token even when the port is taken, for it will not be shown again", async (t) => {
    const other = createServer().listen(0, "127.0.0.1");
    t.after(() => other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const port = String((other.address() as AddressInfo).port);
    const dataDir = tempFolder(t);
    const { code, stderr } = await failToStart(dataDir, { DATA_DIR: dataDir, PORT: port });
    assert.equal(code, 1);
    assert.match(stderr, /cannot start:\n {2}- PORT \d+ on 127\.0\.0\.1 is taken: .*another PORT/);
    const { admin_token } = JSON.parse(readFileSync(join(dataDir, "secrets.json"), "utf8"));
    assert.equal(shownToken(stderr), admin_token);
  });

  it("says loudly that answers come from the simulator, everywhere it should", async (t) => {
    const relay = await startRelay();
    t.after(() => relay.stop());
    const warning = await relay.logged(({ msg }) => msg.startsWith("SIMULATOR"));
    assert.match(warning.msg, /no ANTHROPIC_API_KEY is set.*not by Claude/);
    const health = await (await fetch(`${relay.url}/health`)).json();
    assert.equal((health as { upstream: string }).upstream, "simulator");
  });
});

describe("a second process on the same data folder", () => {
  it("is refused with the remedy, and the first goes on", async (t) => {
    const first = await startRelay({ dataDir: tempFolder(t) });
    t.after(() => first.stop());
    const { code, stderr } = await failToStart(first.dataDir, { DATA_DIR: first.dataDir });
    assert.equal(code, 1);
    assert.match(stderr, /claude-relay cannot start:/);
    assert.ok(stderr.includes(first.dataDir), stderr);
    assert.match(stderr, /in use|another|stop it|DATA_DIR/i);
    assert.equal((await fetch(`${first.url}/readyz`)).status, 200);
    await first.bootstrap();
  });
});
