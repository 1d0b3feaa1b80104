/** Starts that cannot succeed: exit 1, the thing and the remedy in one line each, and nothing of the operator's changed. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { failToStart } from "./harness/failing-start.ts";
import { startRelay } from "./harness/relay.ts";
import { adminToken, jwtSecret } from "./harness/secrets.ts";
import { tempFolder } from "./harness/temp-folder.ts";

const secrets = { JWT_SECRET: jwtSecret, ADMIN_TOKEN: adminToken };

/** Starts with DATA_DIR=./data below a folder of its own; gives the one fault it is told. */
const faultOf = async (
  t: TestContext,
  prepare: (dataDir: string) => void,
  env: Readonly<Record<string, string>> = secrets,
): Promise<string> => {
  const directory = tempFolder(t);
  prepare(join(directory, "data"));
  const { code, stdout, stderr } = await failToStart(directory, { DATA_DIR: "./data", ...env });
  assert.deepEqual([code, stdout], [1, ""], stderr);
  const fault = /^claude-relay cannot start:\n {2}- (.+)\n$/.exec(stderr)?.[1];
  assert.ok(fault, stderr);
  return fault;
};

const withFile =
  (name: string, content: string | Buffer) =>
  (dataDir: string): void => {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, name), content);
  };

describe("a start on a data folder that cannot be used", { concurrency: 4 }, () => {
  it("says that DATA_DIR is a file, with and without configured secrets", async (t) => {
    const isFile = (dataDir: string) => writeFileSync(dataDir, "mine");
    for (const env of [secrets, {}]) {
      assert.equal(await faultOf(t, isFile, env), "DATA_DIR (./data) is a file: name a folder.");
    }
  });

  it("says that relay.db is no database, and leaves it", async (t) => {
    const bytes = Buffer.alloc(8192, "not a database ");
    let file = "";
    const fault = await faultOf(t, (dataDir) => {
      file = join(dataDir, "relay.db");
      withFile("relay.db", bytes)(dataDir);
    });
    assert.match(fault, /^relay\.db in DATA_DIR \(\.\/data\) is damaged or no database of ours/);
    assert.match(fault, /Restore relay\.db from a backup/);
    assert.deepEqual(readFileSync(file), bytes);
  });

  it("says that relay.db is damaged, though only in one page, and leaves it", async (t) => {
    const dataDir = join(tempFolder(t), "data");
    const first = await startRelay({ dataDir: tempFolder(t) });
    assert.equal(await first.stop(), 0);
    const bytes = readFileSync(join(first.dataDir, "relay.db"));
    bytes.fill(0xa5, 3 * 4096, 4 * 4096);
    withFile("relay.db", bytes)(dataDir);
    const { code, stderr } = await failToStart(dataDir, { DATA_DIR: dataDir, ...secrets });
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^claude-relay cannot start:\n {2}- relay\.db in DATA_DIR .* is damaged.*\n$/,
    );
    assert.deepEqual(readFileSync(join(dataDir, "relay.db")), bytes);
  });

  it("says what the other files' trouble is", async (t) => {
    for (const [prepare, words] of [
      [
        withFile("instance.lock", Buffer.alloc(8192, "no lock ")),
        /^instance\.lock in DATA_DIR \(\.\/data\) is damaged .*It holds no data: delete it/,
      ],
      [
        withFile("journal", "no folder"),
        /^journal in DATA_DIR \(\.\/data\) is a file where a folder is needed .*move it away/,
      ],
      [
        (dataDir: string) =>
          mkdirSync(join(dataDir, "journal/journal-000001.jsonl"), { recursive: true }),
        /^A file of the journal in DATA_DIR \(\.\/data\) cannot be read .*Mend its owner or mode/,
      ],
      [
        (dataDir: string) => mkdirSync(join(dataDir, "relay.db"), { recursive: true }),
        /^relay\.db in DATA_DIR \(\.\/data\) cannot be read and written/,
      ],
    ] as const) {
      assert.match(await faultOf(t, prepare), words);
    }
  });

  it("says what is wrong in secrets.json, and does not tell it", async (t) => {
    for (const [content, words] of [
      [
        "null",
        /^secrets\.json in DATA_DIR \(\.\/data\) cannot be used: it must hold a JSON object/,
      ],
      [
        '{"jwt_secret":["tell"],"admin_token":1}',
        /jwt_secret must be a text; admin_token must be a text/,
      ],
    ] as const) {
      const fault = await faultOf(t, withFile("secrets.json", content), {});
      assert.match(fault, words);
      assert.match(fault, /Mend it, or move it away/);
      assert.doesNotMatch(fault, /tell/);
    }
  });
});

describe("a start on an address that cannot be had", { concurrency: 2 }, () => {
  it("says that HOST is not this machine's", async (t) => {
    // 192.0.2.0/24 is kept for documentation (RFC 5737): no machine has it.
    const open = {
      ...secrets,
      ANTHROPIC_API_KEY: "sk-ant-test-0001",
      PROXY_BASE_URL: "https://relay.example.com",
      HOST: "192.0.2.1",
    };
    const { code, stderr } = await failToStart(tempFolder(t), open);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^claude-relay cannot start:\n {2}- HOST 192\.0\.2\.1 is no address of this machine: set HOST to .*\n$/,
    );
  });
});
