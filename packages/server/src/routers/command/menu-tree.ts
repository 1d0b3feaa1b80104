import { interfaceMenus } from "./menus-interface.ts";
import { ipMenus } from "./menus-ip.ts";
import { routingMenus } from "./menus-routing.ts";
import { systemMenus } from "./menus-system.ts";
import { holdsScripts } from "./script-menus.ts";

export type MenuKind = "open" | "secret" | "view" | "sealed" | "folder" | "closed";

/** What a verb of one menu does; `known` verbs are those every menu has. */
export type VerbKind = "known" | "change" | "watch" | "shut";

export type Menu = Readonly<{
  /** `/ip/address`; the root is `/`. */
  path: string;
  parent: Menu | null;
  kind: MenuKind;
  children: ReadonlyMap<string, Menu>;
  verbs: ReadonlyMap<string, VerbKind>;
}>;

/** What a word means in a menu. */
export type Word =
  | Readonly<{ kind: "menu"; menu: Menu }>
  | Readonly<{ kind: "verb"; verb: string; verbKind: VerbKind }>
  | Readonly<{ kind: "ambiguous"; candidates: readonly string[] }>
  | Readonly<{ kind: "unknown" }>;

/** Reads one word as the console does: whole, or as the beginning of exactly one name in this menu. */
export const lookUp = (menu: Menu, word: string): Word => {
  const exact = named(menu, word);
  if (exact !== null) {
    return exact;
  }
  const names = [...menu.children.keys(), ...menu.verbs.keys()].filter((name) =>
    name.startsWith(word),
  );
  const only = names[0];
  if (word === "" || only === undefined) {
    return { kind: "unknown" };
  }
  if (names.length > 1) {
    return { kind: "ambiguous", candidates: names };
  }
  return named(menu, only) ?? { kind: "unknown" };
};

const named = (menu: Menu, name: string): Word | null => {
  const child = menu.children.get(name);
  if (child !== undefined) {
    return { kind: "menu", menu: child };
  }
  const verbKind = menu.verbs.get(name);
  return verbKind === undefined ? null : { kind: "verb", verb: name, verbKind };
};

/** Whether everything below this menu, and itself, may be shown whole. */
export const showsNoSecret = (menu: Menu): boolean => {
  if (holdsSecrets(menu) || holdsScripts(menu.path) || menu.kind === "closed") {
    return false;
  }
  return [...menu.children.values()].every(showsNoSecret);
};

/** Whether a plain print of it could show a password, a key or a script. */
export const holdsSecrets = ({ kind }: Menu): boolean => kind === "secret" || kind === "sealed";

type Growing = {
  path: string;
  parent: Growing | null;
  kind: MenuKind;
  children: Map<string, Growing>;
  verbs: Map<string, VerbKind>;
};

/** Any menu may have these; which does not matter, since the router refuses what it lacks. */
const verbsEverywhere =
  "add comment disable edit enable export find get monitor move print remove reset set unset".split(
    " ",
  );
/** The root's own commands, tools among them. */
const rootVerbs = "beep export import password ping quit redo setup undo blink".split(" ");
const folderVerbs = ["export"];

const signs: Readonly<Record<string, VerbKind>> = { "+": "change", "?": "watch", "-": "shut" };

const plant = (): Menu => {
  const root = grow("/", null, "folder", []);
  for (const verb of rootVerbs) {
    root.verbs.set(verb, "known");
  }
  for (const line of (interfaceMenus + ipMenus + routingMenus + systemMenus).split("\n")) {
    const [path, kind, ...verbs] = line.split(" ");
    if (path === undefined || path === "" || !isKind(kind)) {
      continue;
    }
    const cut = path.lastIndexOf("/");
    const parent = cut < 0 ? root : at(root, path.slice(0, cut));
    const menu = grow(`/${path}`, parent, kind, verbs);
    parent.children.set(path.slice(cut + 1), menu);
  }
  at(root, "tool").verbs.set("ping", "known").set("traceroute", "known").set("profile", "known");
  return root;
};

/** The menu at a path whose parts were listed before. */
const at = (root: Growing, path: string): Growing => {
  let menu = root;
  for (const name of path.split("/")) {
    const child = menu.children.get(name);
    if (child === undefined) {
      throw new Error(`menu table: ${path} comes before its parent`);
    }
    menu = child;
  }
  return menu;
};

const grow = (
  path: string,
  parent: Growing | null,
  kind: MenuKind,
  own: readonly string[],
): Growing => {
  const verbs = new Map<string, VerbKind>();
  for (const verb of kind === "folder" ? folderVerbs : verbsEverywhere) {
    verbs.set(verb, "known");
  }
  for (const verb of own) {
    const sign = signs[verb.charAt(0)];
    if (sign === undefined) {
      throw new Error(`menu table: ${path} has the verb ${verb}`);
    }
    verbs.set(verb.slice(1), sign);
  }
  return { path, parent, kind, children: new Map(), verbs };
};

const isKind = (kind: string | undefined): kind is MenuKind => kinds.has(kind ?? "");

const kinds: ReadonlySet<string> = new Set("open secret view sealed folder closed".split(" "));

export const rootMenu: Menu = plant();
