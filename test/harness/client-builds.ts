/** packages/client as npm would hold it, and the drop-in file as a user's own compiler makes it. */
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { tempFolder } from "./temp-folder.ts";

const root = new URL("../..", import.meta.url).pathname;

export type ClientBuilds = Readonly<{
  /** Folders with the compiled client as index.js, and its tests. */
  package: string;
  dropIn: string;
  /** claudeRelay.js, alone. */
  dropInFile: string;
}>;

/** Compiles for Node 20, without type stripping or anything of this checkout. */
export const buildClients = (t: TestContext): ClientBuilds => {
  const folder = tempFolder(t);
  const config = {
    extends: join(root, "packages/client/tsconfig.build.json"),
    compilerOptions: {
      rootDir: root,
      outDir: join(folder, "out"),
      typeRoots: [join(root, "node_modules/@types")],
      declaration: false,
    },
    include: [join(root, "packages/client/src"), join(root, "clients/ts")],
    // It needs a package that is not installed there.
    exclude: [join(root, "packages/client/src/server-sent-events.test.ts")],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", folder], { stdio: "inherit" });
  const built = join(folder, "out/packages/client/src");
  const dropIn = join(folder, "out/drop-in");
  const dropInFile = join(folder, "out/clients/ts/claudeRelay.js");
  for (const name of ["testing", ...testsIn(built)]) {
    cpSync(join(built, name), join(dropIn, name), { recursive: true });
  }
  cpSync(dropInFile, join(dropIn, "claudeRelay.js"));
  writeFileSync(join(dropIn, "index.js"), 'export * from "./claudeRelay.js";\n');
  return { package: built, dropIn, dropInFile };
};

export const testsIn = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.endsWith(".test.js"));
