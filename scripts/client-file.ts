import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const entry = "packages/client/src/index.ts";

const preamble = `// claude-relay's TypeScript client in one file: copy it into your project, it needs nothing else.
// Node 20 or newer. Server-side only: never ship a key to a browser.
//
// Generated from packages/client/src by \`npm run generate\`; do not edit.
`;

/** clients/ts/claudeRelay.ts: the modules of packages/client, dependencies first, exporting what its index exports. */
export const clientFile = (): string => {
  const index = readFileSync(entry, "utf8");
  const exported = new Set(
    [...index.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, names = ""]) =>
      names.split(",").map((name) => name.trim().replace(/^type /, "")),
    ),
  );
  const modules = new Map<string, string>();
  for (const path of importsOf(index, entry)) {
    collect(path, modules);
  }
  const bodies = [...modules].map(([path, source]) => bodyOf(path, source, exported));
  return formatted(`${preamble}\n${bodies.join("\n")}`);
};

/** Without its `export`, a line may have another shape in the linter's eyes. */
const formatted = (source: string): string => {
  const { stdout, stderr, status } = spawnSync(
    "node_modules/.bin/biome",
    ["format", "--stdin-file-path=clients/ts/claudeRelay.ts"],
    { input: source, encoding: "utf8", shell: process.platform === "win32" },
  );
  if (status !== 0) {
    throw new Error(stderr);
  }
  return stdout;
};

/** Adds a module after all that it imports. Modules do not import in circles: the linter sees to it. */
const collect = (path: string, modules: Map<string, string>): void => {
  if (modules.has(path)) {
    return;
  }
  const source = readFileSync(path, "utf8");
  for (const imported of importsOf(source, path)) {
    collect(imported, modules);
  }
  modules.set(path, source);
};

const importStatement = /^import (?:type )?\{[^}]*\} from "([^"]+)";\n/gm;

const importsOf = (source: string, path: string): string[] =>
  [...source.matchAll(/ from "([^"]+)";/g)].map(([, specifier = ""]) => {
    if (!specifier.startsWith("./")) {
      throw new Error(`${path} imports ${specifier}: the client depends on nothing`);
    }
    return join(dirname(path), specifier);
  });

const bodyOf = (path: string, source: string, exported: ReadonlySet<string>): string => {
  const body = source
    .replace(importStatement, "")
    .replace(
      /^export (?=(?:async )?(?:const|type|class|function\*?) (\w+))/gm,
      (keyword, name: string) => (exported.has(name) ? keyword : ""),
    )
    .trim();
  const left = /^(?:import\b|export \{(?!.*\}: )|export \*)/m.exec(body);
  if (left) {
    throw new Error(`${path} has an import or export that clients/ts/claudeRelay.ts cannot hold`);
  }
  return `// ${path.replace(/^.*\//, "").replace(/\.ts$/, "")}\n\n${body}\n`;
};
