import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { nameFor } from "./own-name.ts";

describe("how this program is called", { skip: process.platform === "win32" }, () => {
  it("is by name alone only when PATH leads to this one", (t) => {
    const place = realpathSync(mkdtempSync(join(tmpdir(), "claude-relay-name-")));
    t.after(() => rmSync(place, { recursive: true, force: true }));
    const [own, other] = ["own", "other"].map((name) => join(place, name)) as [string, string];
    for (const folder of [own, other]) {
      mkdirSync(folder);
      writeFileSync(join(folder, "claude-relay"), "");
    }
    mkdirSync(join(place, "links"));
    symlinkSync(join(own, "claude-relay"), join(place, "links", "claude-relay"));
    const launcher = join(own, "claude-relay");
    const name = (...folders: string[]) =>
      nameFor({ env: { PATH: folders.join(":") }, program: ["node", "main.js"], launcher });
    assert.equal(name("/nowhere", join(place, "links")), "claude-relay");
    assert.equal(name("", other, own), launcher, "another one comes first");
    assert.equal(name(), launcher);
  });

  it("is ./bin/claude-relay in the checkout's own folder, and quoted where need be", () => {
    const name = (calledFrom: string) =>
      nameFor({
        env: { CLAUDE_RELAY_CALLED_FROM: calledFrom },
        program: ["node", "main.ts"],
        launcher: "/home/me/my relay/bin/claude-relay",
      });
    assert.equal(name("/home/me/my relay"), "./bin/claude-relay");
    assert.equal(name("/home/me"), "'/home/me/my relay/bin/claude-relay'");
  });

  it("is the program and its script where nothing else leads to it", () => {
    const program = ["/usr/bin/node", "/opt/it's/main.js"] as const;
    assert.equal(
      nameFor({ env: {}, program, launcher: null }),
      "/usr/bin/node '/opt/it'\\''s/main.js'",
    );
  });
});
