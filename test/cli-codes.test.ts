/** `claude-relay codes` against a real relay: what it prints lets a machine in. */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, it, type TestContext } from "node:test";
import { newPerson, type Ran } from "./harness/command-line.ts";
import { type Relay, startRelay } from "./harness/relay.ts";
import { adminToken } from "./harness/secrets.ts";

const posix = { skip: process.platform === "win32", timeout: 120_000 };
const store = ["--store", "file"];
const aCode = /^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}\n$/;

const refused = ({ code, stdout, stderr }: Ran, expected: RegExp): void => {
  assert.match(stderr, expected);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.ok(!stderr.includes(adminToken));
};

describe("enrollment codes from the command line", posix, () => {
  let relay: Relay;
  before(async () => {
    relay = await startRelay({ env: { BOOTSTRAP: "code" } });
  });
  after(() => relay.stop());

  const operatorOf = (t: TestContext) => {
    const person = newPerson(t, "operator");
    return (args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> =>
      person.run(args, { env: { CLAUDE_RELAY_URL: relay.url, ADMIN_TOKEN: adminToken, ...more } });
  };
  const codesLeft = async (): Promise<number> =>
    (await relay.admin("/admin/enrollment-codes?limit=1000")).body.data.length;

  it("prints the code alone on standard output, and a link that lets one machine in, once", async (t) => {
    const operator = operatorOf(t);
    const made = await operator(["codes", "add", "--label", "for Ann"]);
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, aCode);
    const [, command = "", link = ""] = /: ([\w-]+) connect "([^"]+)"$/m.exec(made.stderr) ?? [];
    assert.deepEqual([command, link], ["claude-relay", `${relay.url}/#code=${made.stdout.trim()}`]);
    const first = newPerson(t);
    const connected = await first.run(["connect", link, ...store]);
    assert.equal(connected.code, 0, connected.stderr);
    assert.equal((await first.run(["token"])).code, 0);
    const second = await newPerson(t, "second").run(["connect", link, ...store]);
    refused(second, /The enrollment code is used up/);
    const { stdout } = await operator(["codes"]);
    const line = stdout.split("\n").find((one) => one.includes("for Ann")) ?? "";
    assert.deepEqual(line.split(/ {2,}/).slice(1, 4), ["for Ann", "used up", "0 of 1"]);
    assert.ok(!stdout.includes(made.stdout.trim()), "the code is shown once");
  });

  it("takes how often, how long and whose, and says them as JSON", async (t) => {
    await relay.admin("/admin/users", { method: "POST", body: JSON.stringify({ id: "ann" }) });
    const options = [
      "--uses",
      "3",
      "--expires",
      "7d",
      "--user",
      "ann",
      "--model",
      "claude-haiku-*",
    ];
    const { stdout, stderr } = await operatorOf(t)(["codes", "add", ...options, "--json"]);
    assert.equal(stderr, "");
    const made = JSON.parse(stdout);
    assert.deepEqual([made.max_uses, made.user_id, made.models], [3, "ann", ["claude-haiku-*"]]);
    assert.equal(Date.parse(made.expires_at) - Date.parse(made.created_at), 7 * 86_400_000);
    assert.equal(made.link, `${relay.url}/#code=${made.enrollment_code}`);
  });

  it("leads where devices reach the relay: --relay-url, or its PROXY_BASE_URL", async (t) => {
    const operator = operatorOf(t);
    const linkOf = async (args: readonly string[], env = {}): Promise<string> =>
      JSON.parse((await operator(["codes", "add", "--json", ...args], env)).stdout).link;
    const outside = { PROXY_BASE_URL: "https://relay.example.com/mounted/" };
    assert.match(await linkOf([], outside), /^https:\/\/relay\.example\.com\/mounted\/#code=/);
    const told = ["--relay-url", "https://other.example/"];
    assert.match(await linkOf(told, outside), /^https:\/\/other\.example\/#code=/);
    assert.match(await linkOf([], { NGROK_DOMAIN: "a.ngrok.app" }), /^https:\/\/a\.ngrok\.app\/#/);
    const here = await operator(["codes", "add"]);
    assert.match(here.stderr, /leads to this machine.*--relay-url/);
  });

  it("makes no code when something is wrong with it", async (t) => {
    const operator = operatorOf(t);
    const before = await codesLeft();
    const add = (...args: string[]) => operator(["codes", "add", ...args]);
    refused(await add("--relay-url", "http://relay.example.com"), /is not https/);
    refused(await add("--relay-url", "relay.example.com"), /Did you mean https:\/\/relay\.example/);
    refused(await add("--expires", "2 weeks"), /a time such as 30m, 24h or 7d/);
    refused(await add("--expires", "400d"), /at most 365d/);
    refused(await add("--uses", "0"), /from 1 to 100000/);
    refused(await add("--user", "zoe"), /no user "zoe".*: \S+claude-relay users add zoe$/m);
    assert.equal(await codesLeft(), before);
  });

  it("ends one by as much of its id as means one", async (t) => {
    const operator = operatorOf(t);
    const { id, link } = JSON.parse((await operator(["codes", "add", "--json"])).stdout);
    refused(await operator(["codes", "revoke", "enr_"]), /No code's id begins with "enr_"/);
    refused(await operator(["codes", "revoke", `enr_${"0".repeat(32)}`]), /No enrollment code has/);
    const ended = await operator(["codes", "revoke", id.slice(4, 16)]);
    assert.equal(ended.code, 0, ended.stderr);
    const late = await newPerson(t).run(["connect", link, ...store]);
    refused(late, /The enrollment code is revoked/);
  });

  it("without the code says so, and how to bring one", async (t) => {
    const ran = await newPerson(t).run(["connect", relay.url, ...store]);
    refused(
      ran,
      /lets new devices in by an enrollment code: ask its operator.*connect .* --code <code>/,
    );
    assert.doesNotMatch(ran.stderr, /POST|enrollment_code/);
  });

  it("is read by a camera: the QR code holds the link", { skip: readerMissing() }, async (t) => {
    const operator = operatorOf(t);
    const args = ["codes", "add", "--qr", "--relay-url", "https://relay.example.com"];
    const { stdout, stderr } = await operator(args);
    const lines = stderr.split("\n").filter((line) => /^[█▀▄ ]{30,}$/.test(line));
    assert.equal(readQrCode(lines), `https://relay.example.com/#code=${stdout.trim()}`);
  });
});

type Reader = (pixels: Uint8ClampedArray, width: number, height: number) => { data: string } | null;

function reader(): Reader {
  const found = createRequire(import.meta.url)("jsqr");
  return found.default ?? found;
}

function readerMissing(): string | false {
  try {
    reader();
    return false;
  } catch {
    return "jsqr, which reads QR codes, is not installed";
  }
}

/** The lines as a dark terminal shows them, four pixels to a module, read by an independent decoder. */
const readQrCode = (lines: readonly string[]): string | undefined => {
  const rows = lines.flatMap((line) => [
    [...line].map((half) => "█▀".includes(half)),
    [...line].map((half) => "█▄".includes(half)),
  ]);
  const [width, height] = [(rows[0]?.length ?? 0) * 4, rows.length * 4];
  const pixels = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const shade = rows[y >> 2]?.[x >> 2] ? 255 : 0;
      pixels.set([shade, shade, shade, 255], (y * width + x) * 4);
    }
  }
  return reader()(pixels, width, height)?.data;
};
