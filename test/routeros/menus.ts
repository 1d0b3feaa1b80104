import { RouterError } from "./faults.ts";
import { MenuRows } from "./menu-rows.ts";
import { menuTables } from "./menu-tables.ts";
import { no, str, toBytes, toText, typeOf, type Value, yes } from "./values.ts";

/** What the menus show before a script changes anything. */
export type MenuSeed = Readonly<{
  version: string;
  identity: string;
  serial: string | undefined;
  /** `/ip cloud`; a router without it has none of these. */
  cloud: Readonly<{ dnsName?: string; publicAddress?: string; enabled?: boolean }>;
  addresses: readonly string[];
}>;

const sourceLimit = 65_535;
const fileLimit = 61_440;

export function createMenus(seed: MenuSeed): Map<string, MenuRows> {
  const menus = new Map(menuTables.map((table) => [table.path, new MenuRows(table)]));
  fill(menus, "/system identity", { name: seed.identity });
  fill(menus, "/system resource", {
    version: `${seed.version} (stable)`,
    "board-name": seed.serial === undefined ? "CHR" : "hEX",
    "architecture-name": seed.serial === undefined ? "x86_64" : "mmips",
  });
  fill(menus, "/system license", { "system-id": "abcdEFGHijk", "software-id": "ABCD-1234" });
  fill(menus, "/system device-mode", { mode: "advanced" });
  const board = menus.get("/system routerboard")?.single.values;
  board?.set("routerboard", seed.serial === undefined ? no : yes);
  if (seed.serial !== undefined) {
    board?.set("serial-number", str(toBytes(seed.serial)));
  }
  const cloud = menus.get("/ip cloud")?.single.values;
  cloud?.set("ddns-enabled", str(seed.cloud.enabled === true ? "yes" : "auto"));
  for (const [name, value] of [
    ["dns-name", seed.cloud.dnsName],
    ["public-address", seed.cloud.publicAddress],
  ] as const) {
    if (value !== undefined) {
      cloud?.set(name, name === "dns-name" ? str(value) : { kind: "ip", text: value });
    }
  }
  for (const address of seed.addresses) {
    const values = { address: str(address), interface: str("bridge") };
    menus.get("/ip address")?.add(new Map(Object.entries(values)));
  }
  const values = { name: str("routeros"), version: str(seed.version), disabled: no };
  menus.get("/system package")?.add(new Map<string, Value>(Object.entries(values)));
  return menus;
}

function fill(
  menus: ReadonlyMap<string, MenuRows>,
  path: string,
  values: Readonly<Record<string, string>>,
): void {
  for (const [name, value] of Object.entries(values)) {
    menus.get(path)?.single.values.set(name, str(toBytes(value)));
  }
}

/** Writes a file as the router would have it. */
export function saveFile(files: MenuRows, name: string, contents: string): void {
  const old = files.named(name);
  if (old !== undefined) {
    files.remove(old);
  }
  const held = contents.length > fileLimit ? undefined : str(contents);
  files.add(
    new Map<string, Value>([
      ["name", str(name)],
      ["size", { kind: "num", num: BigInt(contents.length) }],
      ...(held === undefined ? [] : [["contents", held] as const]),
    ]),
  );
}

/** Refuses what a router refuses to hold. */
export function requireFits(path: string, values: ReadonlyMap<string, Value>): void {
  const longest = [
    ["/system script", "source", sourceLimit],
    ["/system scheduler", "on-event", sourceLimit],
    ["/file", "contents", fileLimit],
  ] as const;
  for (const [menu, property, limit] of longest) {
    const value = values.get(property);
    if (menu === path && value !== undefined && toText(value).length > limit) {
      throw new RouterError(`failure: ${property} is too long`);
    }
  }
}

/** `/system script environment` shows the globals. */
export function showGlobals(menu: MenuRows, globals: ReadonlyMap<string, Value>): void {
  menu.clear();
  for (const [name, value] of globals) {
    if (value.kind !== "nothing") {
      const shown = typeOf(value) === "code" ? "(code)" : toText(value);
      menu.add(
        new Map([
          ["name", str(name)],
          ["value", str(shown)],
        ] as const),
      );
    }
  }
}

/** `/log` shows what was logged. */
export function showLog(
  menu: MenuRows,
  lines: readonly { topic: string; message: string }[],
): void {
  menu.clear();
  for (const { topic, message } of lines) {
    menu.add(
      new Map([
        ["topics", str(`script,${topic}`)],
        ["message", str(toBytes(message))],
      ] as const),
    );
  }
}
