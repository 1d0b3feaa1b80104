import { textOf } from "./arguments.ts";
import type { Argument } from "./ast.ts";
import type { Menu } from "./menu-tree.ts";
import { forbidden, type Verdict } from "./verdict.ts";

/** Changes that would do in an open menu what is shut elsewhere: record traffic, or send mail. */
export const judgeShutChange = (menu: Menu, args: readonly Argument[]): Verdict | null => {
  const action = args.find((arg) => actionNames.has(arg.name ?? ""));
  if (copiesTraffic.test(menu.path) && action !== undefined) {
    const text = textOf(action.value);
    if (text === null) {
      return forbidden('What "action" is, is not written out; write it out.');
    }
    if (text.startsWith("s") && sniffs.some((name) => name.startsWith(text))) {
      return forbidden(
        `"action=${text}" copies other people's traffic to another machine; do it yourself in WinBox.`,
      );
    }
  }
  return sendsMail(menu, args) ? mail : null;
};

const sendsMail = (menu: Menu, args: readonly Argument[]): boolean => {
  if (menu.path === "/system/watchdog") {
    return args.some(
      ({ name }) => name !== null && mailNames.some((mine) => mine.startsWith(name)),
    );
  }
  if (menu.path !== "/system/logging/action") {
    return false;
  }
  return args.some((arg) => {
    const name = arg.name ?? "";
    const text = textOf(arg.value);
    const isTarget = name.length > 1 && "target".startsWith(name);
    return name.startsWith("email") || (isTarget && (text === null || text.startsWith("e")));
  });
};

const mail = forbidden("It could send the router's data anywhere by e-mail; set it up in WinBox.");

const mailNames = "send-email-to send-email-from send-smtp-server auto-send-supout".split(" ");
const sniffs = ["sniff-tzsp", "sniff-pc", "sniff"];
const actionNames = new Set(["action", "actio", "acti", "act", "ac"]);
const copiesTraffic = /^\/ip(?:v6)?\/firewall\/|^\/interface\/bridge\/(?:filter|nat)$/;
