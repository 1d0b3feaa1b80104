/** The client's own tests once more: compiled, as a package and as the drop-in file, on Node 20 and on the current one. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { buildClients, type ClientBuilds, testsIn } from "./harness/client-builds.ts";
import { findNode20 } from "./harness/node-20.ts";

const node20 = findNode20();
const nodes = { "Node 20": node20, "this Node": process.execPath };

let builds: ClientBuilds;
before((t) => {
  builds = buildClients(t as TestContext);
});

const runTests = (node: string, folder: string): string => {
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env;
  const files = testsIn(folder).map((name) => join(folder, name));
  assert.ok(files.length >= 6);
  const args = ["--test", "--test-reporter=tap", ...files];
  const { status, stdout, stderr } = spawnSync(node, args, { env, encoding: "utf8" });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  return stdout;
};

for (const [name, node] of Object.entries(nodes)) {
  const options = {
    skip: node === undefined && "needs a Node 20 on the PATH: nodejs.org/en/download",
  };
  describe(`on ${name} the client's tests pass`, options, () => {
    for (const build of ["package", "dropIn"] as const) {
      it(build === "package" ? "as the built package" : "as the drop-in file", () => {
        assert.match(runTests(node ?? "", builds[build]), /^# pass [6-9]\d$/m);
      });
    }
  });
}
