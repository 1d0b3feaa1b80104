/** Menus that are shown freely but for their scripts: these can hold tokens and addresses, as passwords do. */
import { textOf, wordOf } from "./arguments.ts";
import type { Argument, Part } from "./ast.ts";
import type { Menu } from "./menu-tree.ts";
import { type Verdict, write } from "./verdict.ts";

/** Whether a name, or what it may be short for, is that of a script. */
export const isScriptName = (name: string): boolean =>
  isWholeScriptName(name) || scriptNames.some((script) => script.startsWith(name));

/** What a print shows of a menu's scripts; null when nothing. */
export const judgeScriptsShown = (
  menu: Menu,
  options: readonly Argument[],
  conditions: readonly Argument[],
): Verdict | null => {
  const shown = scriptMenus.get(menu.path);
  if (shown === undefined || isCounted(options, conditions)) {
    return null;
  }
  const columns = textOf(options.find((option) => option.name === "proplist")?.value);
  const isHidden =
    columns === null
      ? shown.hasTable && options.every(keepsTable)
      : !columns.split(",").some(isScriptName);
  return isHidden && !conditions.some(asksForScript)
    ? null
    : showsScripts(menu, `proplist=${shown.proplist}`);
};

/** The same for `find`, whose conditions tell, yes or no, what a script is. */
export const judgeScriptsAsked = (menu: Menu, conditions: readonly Argument[]): Verdict | null =>
  scriptMenus.has(menu.path) && conditions.some(asksForScript)
    ? showsScripts(menu, "conditions on other columns")
    : null;

/** The same for `get`, of the column it names, if any. */
export const judgeScriptGot = (menu: Menu, column: Part | null | undefined): Verdict | null => {
  const name = textOf(column);
  return scriptMenus.has(menu.path) && (name === null || name === "" || isScriptName(name))
    ? showsScripts(menu, "the name of a column that is no script")
    : null;
};

/** Whether an export of the menu can hold scripts. */
export const holdsScripts = (path: string): boolean => scriptMenus.has(path);

const isCounted = (options: readonly Argument[], conditions: readonly Argument[]): boolean =>
  options.length === 1 && wordOf(options[0]) === "count-only" && !conditions.some(asksForScript);

const keepsTable = (option: Argument): boolean => {
  const word = wordOf(option);
  return word === null || word === "stats" || !wholeEntries.some((flag) => flag.startsWith(word));
};

const asksForScript = ({ name, value }: Argument): boolean =>
  (name !== null && isScriptName(name)) || namesScript(value, name === null);

/** A bare word beside `=` is a text, and a column's name only in a calculation. */
const namesScript = (part: Part | null, isColumn: boolean): boolean => {
  switch (part?.kind) {
    case "word":
      return isColumn && isWholeScriptName(part.text);
    case "string":
    case "group":
      return part.parts.some((each) => namesScript(each, true));
    case "call":
    case "block":
      return part.script.some(({ args }) => args.some(asksForScript));
    default:
      return false;
  }
};

/** In calculations names are not cut short. */
const isWholeScriptName = (name: string): boolean =>
  name.startsWith("on-") || name.includes("script") || scriptNames.includes(name);

const showsScripts = (menu: Menu, instead: string): Verdict =>
  write(
    `Scripts in ${menu.path} can hold passwords, so showing them needs your code; give ${instead} to do without.`,
  );

const wholeEntries = ["detail", "as-value", "terse", "value-list", "stats-detail"];

const scriptNames =
  "on-event script source command up-script down-script test-script lease-script startup-script caps-mode-script custom-script binding-script".split(
    " ",
  );

type Shown = Readonly<{
  /** What a plain print shows is a table without scripts. */
  hasTable: boolean;
  proplist: string;
}>;

const table = (proplist: string): Shown => ({ hasTable: true, proplist });
const list = (proplist: string): Shown => ({ hasTable: false, proplist });

const scriptMenus: ReadonlyMap<string, Shown> = new Map([
  ["/tool/netwatch", table("name,host,type,interval,timeout,status,since,disabled")],
  ["/tool/traffic-monitor", list("name,interface,traffic,trigger,threshold,disabled")],
  ["/ip/dhcp-server", table("name,interface,address-pool,lease-time,disabled")],
  ["/ip/dhcp-server/alert", table("interface,valid-server,unknown-server,alert-timeout,disabled")],
  ["/ip/dhcp-client", table("interface,status,address,gateway,dhcp-server,disabled")],
  ["/ipv6/dhcp-server", table("name,interface,address-pool,lease-time,disabled")],
  ["/ipv6/dhcp-client", table("interface,status,prefix,address,request,disabled")],
  ["/ppp/profile", list("name,local-address,remote-address,dns-server,rate-limit,use-encryption")],
  ["/ip/hotspot/user/profile", list("name,address-pool,rate-limit,shared-users,idle-timeout")],
]);
