/**
 * Proves that the import law's fences hold (ARCHITECTURE.md): plants one violation of each rule, which the
 * linter must find, and one lawful import of each, which it must let pass.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

type Planted = Readonly<{ file: string; imports: string; lawful: boolean }>;

const server = "packages/server/src";
const rooms = ["http", "credentials", "limits", "upstreams", "store", "observe"];

const planted: readonly Planted[] = [
  breaks("packages/contract/src/planted.ts", "@claude-relay/server"),
  breaks(`${server}/pipeline/planted.ts`, "../http/app.ts"),
  breaks(`${server}/pipeline/planted.ts`, "../store/store.ts"),
  breaks(`${server}/pipeline/planted.ts`, "../compose.ts"),
  keeps(`${server}/pipeline/planted.ts`, "@claude-relay/contract"),
  keeps(`${server}/pipeline/planted.ts`, "./refusal.ts"),
  ...rooms.flatMap((room) => [
    ...rooms
      .filter((other) => other !== room)
      .map((other) => breaks(`${server}/${room}/planted.ts`, `../${other}/planted.ts`)),
    breaks(`${server}/${room}/planted.ts`, "../config.ts"),
    keeps(`${server}/${room}/planted.ts`, "../pipeline/types.ts"),
    keeps(`${server}/${room}/planted.ts`, "@claude-relay/contract"),
  ]),
  breaks(`${server}/upstreams/simulator/planted.ts`, "../../store/store.ts"),
  breaks("packages/client/src/planted.ts", "@claude-relay/server"),
  breaks("packages/cli/src/planted.ts", "../../server/src/compose.ts"),
];

function breaks(file: string, imports: string): Planted {
  return { file, imports, lawful: false };
}

function keeps(file: string, imports: string): Planted {
  return { file, imports, lawful: true };
}

/** Writes every planted file, lints them all at once, and removes them again whatever happens. */
const lint = (): Set<number> => {
  const paths = planted.map(({ file }, index) => file.replace("planted.ts", `planted-${index}.ts`));
  const made = paths.flatMap((path) => mkdirSync(dirname(path), { recursive: true }) ?? []);
  try {
    planted.forEach(({ imports }, index) => {
      writeFileSync(paths[index] ?? "", `export type * from "${imports}";\n`);
    });
    const { stdout, error } = spawnSync(
      "node_modules/.bin/biome",
      [
        "lint",
        "--only=style/noRestrictedImports",
        "--reporter=github",
        "--max-diagnostics=none",
        ...paths,
      ],
      { encoding: "utf8", shell: process.platform === "win32" },
    );
    if (error) {
      throw error;
    }
    return new Set([...stdout.matchAll(/planted-(\d+)\.ts/g)].map((match) => Number(match[1])));
  } finally {
    for (const path of [...paths, ...made]) {
      rmSync(path, { recursive: true, force: true });
    }
  }
};

const refused = lint();
const wrong = planted.filter((one, index) => refused.has(index) === one.lawful);
for (const { file, imports, lawful } of wrong) {
  console.error(
    `${file} importing ${imports} ${lawful ? "is lawful, and the linter refuses it" : "breaks the import law, and the linter lets it pass"}`,
  );
}
if (wrong.length > 0) {
  process.exit(1);
}
console.log(`The import law holds: ${planted.length} planted imports judged rightly.`);
