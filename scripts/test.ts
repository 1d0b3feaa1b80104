/**
 * `npm test`: every test beside the code and in test/. Installs the heavy test tools first (the real Claude
 * Code, pinned in test/tools); without network their tests are skipped and say so. `npm test -- FILE …`
 * runs only those files.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

const tools = "test/tools";

const given = process.argv.slice(2);
const everything = [
  "packages/*/src/**/*.test.ts",
  "apps/*/src/**/*.test.ts",
  "apps/*/test/*.test.ts",
  "test/*.test.ts",
];
const files = given.length > 0 ? given : everything;
if (given.length === 0 || given.some((file) => /claude-(code|cli)/.test(file))) {
  installTools();
}
const { status } = spawnSync(
  process.execPath,
  ["--test", "--test-reporter=spec", "--test-timeout=300000", ...files],
  { stdio: "inherit" },
);
process.exit(status ?? 1);

function installTools(): void {
  if (isInstalled()) {
    return;
  }
  console.log(`Installing the test tools (${tools}): the real Claude Code, about 400 MB, once.`);
  const npm = spawnSync("npm", ["ci", "--prefix", tools, "--ignore-scripts", "--loglevel=error"], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  if (npm.status !== 0) {
    console.log(
      `They could not be installed: their tests are skipped. Later: npm ci --prefix ${tools}`,
    );
  }
}

/** npm notes in node_modules what it installed; the same version needs no second install. */
function isInstalled(): boolean {
  const installed = `${tools}/node_modules/.package-lock.json`;
  return existsSync(installed) && versionIn(installed) === versionIn(`${tools}/package-lock.json`);
}

function versionIn(lockFile: string): string {
  const { packages } = JSON.parse(readFileSync(lockFile, "utf8")) as {
    packages: Record<string, { version?: string }>;
  };
  return packages["node_modules/@anthropic-ai/claude-code"]?.version ?? "none";
}
