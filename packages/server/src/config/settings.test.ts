import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, it } from "node:test";
import type { Setting } from "./setting.ts";
import { settings } from "./settings.ts";

type Table = Readonly<Record<string, Setting<unknown>>>;

/** Every file of settings/, under the name its file keys begin with. */
const groups: (readonly [string, Table])[] = await Promise.all(
  readdirSync(new URL("settings/", import.meta.url))
    .filter((file) => !file.endsWith(".test.ts"))
    .map(async (file) => {
      const exported: Record<string, Table> = await import(`./settings/${file}`);
      const table = Object.entries(exported).find(([name]) => name.endsWith("Settings"))?.[1];
      assert.ok(table, file);
      return [file.replace(".ts", ""), table] as const;
    }),
);

describe("the settings", () => {
  it("stand in the file that their file key begins with; the routers' have two beginnings of old", () => {
    for (const [group, table] of groups) {
      const begins = group === "routers" ? ["service", "security"] : [group];
      for (const { name, fileKey } of Object.values(table)) {
        assert.ok(begins.includes(fileKey.split(".")[0] ?? ""), name);
      }
    }
  });

  it("are all of their groups', none under a name or a key that another has", () => {
    const all = Object.values(settings) as readonly Setting<unknown>[];
    const grouped = groups.flatMap(([, table]) => Object.keys(table));
    assert.deepEqual(Object.keys(settings).sort(), grouped.sort());
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    assert.equal(new Set(all.map(({ fileKey }) => fileKey)).size, all.length);
  });
});
