/**
 * Emits the publishable packages into packages/NAME/dist: compiled JavaScript, types, and a package.json
 * that points at them. `npm publish packages/NAME/dist` would publish one; the sources stay as they are.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";

type Manifest = {
  exports?: Record<string, string>;
  bin?: Record<string, string>;
  [field: string]: unknown;
};

// In this order: the server's types need the contract's.
for (const name of ["contract", "server"]) {
  const folder = `packages/${name}`;
  rmSync(`${folder}/dist`, { recursive: true, force: true });
  compile(folder);
  const manifest = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as Manifest;
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

function published({ exports, bin, ...manifest }: Manifest): Record<string, unknown> {
  const compiled = (path: string): string => path.replace(/\.ts$/, ".js");
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
      bin: Object.fromEntries(Object.entries(bin).map(([name, path]) => [name, compiled(path)])),
    }),
  };
}
