/**
 * Emits the publishable packages into packages/NAME/dist: compiled JavaScript, types, a launcher for each
 * command that checks the Node it is run with, and a package.json that points at them.
 * `npm publish packages/NAME/dist` would publish one; the sources stay as they are.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";

type Manifest = {
  engines: { node: string };
  exports?: Record<string, string>;
  bin?: Record<string, string>;
  [field: string]: unknown;
};

// In this order: the server's types need the contract's.
for (const name of ["contract", "server", "client", "cli"]) {
  const folder = `packages/${name}`;
  rmSync(`${folder}/dist`, { recursive: true, force: true });
  compile(folder);
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Manifest;
  writeLaunchers(`${folder}/dist`, manifest);
  writeFileSync(`${folder}/dist/package.json`, `${JSON.stringify(published(manifest), null, 2)}\n`);
  copyFileSync("LICENSE", `${folder}/dist/LICENSE`);
  console.log(`built ${folder}/dist`);
}

function compile(folder: string): void {
  const { status, error } = spawnSync(
    process.execPath,
    ["node_modules/typescript/bin/tsc", "-p", `${folder}/tsconfig.build.json`],
    { stdio: "inherit" },
  );
  if (error || status !== 0) {
    process.exit(1);
  }
}

/** What `bin` names: nothing of ours or of our dependencies is loaded before the Node is known to be new enough. */
function writeLaunchers(dist: string, { bin = {}, engines }: Manifest): void {
  const [, major, minor = "0"] = /^>=(\d+)(?:\.(\d+)(?:\.0)?)?$/.exec(engines.node) ?? [];
  if (major === undefined) {
    throw new Error(`engines.node must be >=MAJOR.MINOR.0, not ${engines.node}`);
  }
  for (const [name, path] of Object.entries(bin)) {
    mkdirSync(`${dist}/bin`, { recursive: true });
    writeFileSync(
      `${dist}/${launcher(name)}`,
      `#!/usr/bin/env node
// Before anything is loaded: an old Node would stop there with a riddle.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < ${major} || (major === ${major} && minor < ${minor})) {
  console.error(\`${name} needs Node ${major}.${minor} or newer; this is \${process.version}. Install a current Node.\`);
  process.exitCode = 1;
} else {
  await import(".${compiled(path)}");
}
`,
      { mode: 0o755 },
    );
  }
}

function launcher(name: string): string {
  return `bin/${name}.js`;
}

function compiled(path: string): string {
  return path.replace(/\.ts$/, ".js");
}

function published({ exports, bin, ...manifest }: Manifest): Record<string, unknown> {
  return {
    ...manifest,
    ...(exports && {
      exports: Object.fromEntries(
        Object.entries(exports).map(([entry, path]) => [
          entry,
          { types: path.replace(/\.ts$/, ".d.ts"), default: compiled(path) },
        ]),
      ),
    }),
    ...(bin && {
      bin: Object.fromEntries(Object.keys(bin).map((name) => [name, launcher(name)])),
    }),
  };
}
