import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { holdsSecrets, lookUp, type Menu, rootMenu, showsNoSecret } from "./menu-tree.ts";
import { proplists, safeColumns } from "./safe-columns.ts";

const menuAt = (path: string): Menu => {
  let menu = rootMenu;
  for (const name of path.split(" ")) {
    const word = lookUp(menu, name);
    assert.equal(word.kind, "menu", path);
    menu = word.kind === "menu" ? word.menu : menu;
  }
  return menu;
};

const all = (menu: Menu): readonly Menu[] => [menu, ...[...menu.children.values()].flatMap(all)];

describe("the menu table", () => {
  it("knows hundreds of menus, each once and under its parent", () => {
    const paths = all(rootMenu).map((menu) => menu.path);
    assert.ok(paths.length > 350, String(paths.length));
    assert.equal(new Set(paths).size, paths.length);
    for (const menu of all(rootMenu)) {
      assert.equal(menu === rootMenu, menu.parent === null);
      assert.ok(menu.path.startsWith(menu.parent?.path ?? "/"));
    }
  });

  it("reads a word whole before it reads it as a beginning", () => {
    assert.equal(menuAt("ip").path, "/ip");
    assert.equal(menuAt("interface l2tp-server server").path, "/interface/l2tp-server/server");
    assert.equal(menuAt("user").path, "/user");
  });

  it("takes the beginning of exactly one name", () => {
    assert.equal(menuAt("ip addr").path, "/ip/address");
    assert.equal(menuAt("sys reso").kind, "view");
    assert.equal(lookUp(menuAt("ip"), "s").kind, "ambiguous");
    assert.equal(lookUp(menuAt("ip address"), "re").kind, "ambiguous");
    assert.equal(lookUp(rootMenu, "").kind, "unknown");
    assert.equal(lookUp(rootMenu, "IP").kind, "unknown");
    assert.equal(lookUp(rootMenu, "constructor").kind, "unknown");
  });

  it("shows nothing secret only where no menu below holds secrets", () => {
    assert.ok(showsNoSecret(menuAt("ip firewall")));
    assert.ok(!showsNoSecret(menuAt("ip")));
    assert.ok(!showsNoSecret(menuAt("ppp")));
    assert.ok(!showsNoSecret(rootMenu));
  });

  it("shuts what can open, break or expose the router", () => {
    for (const path of [
      "user",
      "user group",
      "user ssh-keys",
      "system package update",
      "certificate settings",
      "file",
      "container",
      "console",
      "radius",
      "snmp",
      "port",
      "special-login",
      "system script",
      "system backup",
      "system reset-configuration",
      "system reboot",
      "system shutdown",
      "system ssh",
      "system telnet",
      "system device-mode",
      "tool fetch",
      "tool sniffer",
      "tool e-mail",
      "tool sms",
      "tool flood-ping",
      "tool bandwidth-test",
      "tool mac-telnet",
      "ip ssh",
      "ip proxy",
      "ip socks",
    ]) {
      assert.equal(menuAt(path).kind, "closed", path);
    }
  });

  it("lets some be looked at, never changed", () => {
    for (const path of ["user active", "system package", "system license", "ip service"]) {
      assert.equal(menuAt(path).kind, "view", path);
    }
    for (const path of ["certificate", "system scheduler", "disk"]) {
      assert.equal(menuAt(path).kind, "sealed", path);
      assert.ok(!showsNoSecret(menuAt(path)), path);
    }
  });

  it("has safe columns to offer for menus it knows, and those are safe", () => {
    for (const [path, columns] of proplists) {
      assert.ok(holdsSecrets(menuAt(path.slice(1).replaceAll("/", " "))), path);
      assert.ok(
        columns.split(",").every((column) => safeColumns.has(column)),
        path,
      );
    }
  });
});
