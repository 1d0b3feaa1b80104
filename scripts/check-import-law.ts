/**
 * Proves that the import law's fences hold (ARCHITECTURE.md): plants violations of each rule, which the
 * linter must find, and lawful imports, which it must let pass.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

type Planted = Readonly<{ file: string; imports: string; lawful: boolean }>;

const server = "packages/server/src";
// Read from the tree, so that a new room or a new file beside compose.ts is fenced from its first day.
const inServer = readdirSync(server, { withFileTypes: true });
const rooms = inServer
  .filter((entry) => entry.isDirectory() && !["pipeline", "config"].includes(entry.name))
  .map(({ name }) => name);
const outside = inServer
  .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
  .map(({ name }) => name);

const planted: readonly Planted[] = [
  breaks("packages/contract/src/planted.ts", "@claude-relay/server"),
  ...["pipeline", "pipeline/body", ...rooms, "http/admin", "upstreams/simulator"].flatMap(fenced),
  keeps(`${server}/pipeline/planted.ts`, "./refusal.ts"),
  keeps(`${server}/pipeline/body/planted.ts`, "../refusal.ts"),
  keeps(`${server}/http/admin/planted.ts`, "../client-ip.ts"),
  ...rooms.map((room) => keeps(`${server}/${room}/planted.ts`, "../pipeline/types.ts")),
  breaks("packages/client/src/planted.ts", "@claude-relay/server"),
  breaks("packages/cli/src/planted.ts", "../../server/src/compose.ts"),
  ...desktop(),
];

/** The desktop app: its main process knows no shell and no window, its window the bridge alone. */
function desktop(): Planted[] {
  const app = "apps/desktop/src";
  return [
    ...["@claude-relay/client", "@tauri-apps/api/core", "../main/planted.ts"].flatMap((imports) =>
      ["bridge", "renderer"].map((room) => breaks(`${app}/${room}/planted.ts`, imports)),
    ),
    ...["@claude-relay/server", "@tauri-apps/api/core", "electron", "../renderer/planted.ts"].map(
      (imports) => breaks(`${app}/main/planted.ts`, imports),
    ),
    breaks(`${app}/main/chat/planted.ts`, "../../preload/planted.ts"),
    breaks(`${app}/preload/planted.ts`, "../main/planted.ts"),
    breaks(`${app}/renderer/planted.ts`, "node:fs"),
    keeps(`${app}/main/planted.ts`, "@claude-relay/client/device"),
    keeps(`${app}/preload/planted.ts`, "@tauri-apps/api/core"),
    ...["main", "preload", "renderer"].map((room) =>
      keeps(`${app}/${room}/planted.ts`, "../bridge/protocol.ts"),
    ),
  ];
}

/** What every folder of the line and of the rooms must not import, and what it may. */
function fenced(folder: string): Planted[] {
  const file = `${server}/${folder}/planted.ts`;
  const up = folder.includes("/") ? "../.." : "..";
  return [
    ...rooms
      .filter((room) => room !== folder.split("/")[0])
      .map((room) => breaks(file, `${up}/${room}/planted.ts`)),
    ...outside.map((name) => breaks(file, `${up}/${name}`)),
    breaks(file, `${up}/config/settings.ts`),
    breaks(file, "@claude-relay/server"),
    keeps(file, "@claude-relay/contract"),
  ];
}

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
