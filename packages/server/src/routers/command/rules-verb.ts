import { whyClosed } from "./closed.ts";
import { judgeMenuCode } from "./code-position.ts";
import type { Target } from "./resolve.ts";
import { judgePing, judgeProfile } from "./rules-probe.ts";
import { judgeExport, judgeFind, judgeGet, judgePrint, judgeWatch } from "./rules-read.ts";
import { type JudgeText, judgeChange } from "./rules-write.ts";
import { forbidden, type Verdict } from "./verdict.ts";

/** Judges a menu's verb. */
export const judgeVerb = (
  target: Extract<Target, { kind: "verb" }>,
  judgeText: JudgeText,
): Verdict => {
  const { menu, verb, verbKind, args } = target;
  const code = judgeMenuCode(verb, args);
  if (code !== null) {
    return code;
  }
  if (verb === "profile") {
    return judgeProfile(args);
  }
  if (verb === "ping" || verb === "traceroute") {
    return menu.path === "/" || menu.path === "/tool"
      ? judgePing(verb, args)
      : shut(menu.path, verb);
  }
  if (verb === "export") {
    return judgeExport(menu, args);
  }
  if (verbKind === "shut" || menu.kind === "folder") {
    return shut(menu.path, verb);
  }
  if (verbKind === "watch" || verb === "monitor") {
    return judgeWatch(menu, verb, args);
  }
  if (verb === "print") {
    return judgePrint(menu, args);
  }
  if (verb === "get") {
    return judgeGet(menu, args);
  }
  if (verb === "find") {
    return judgeFind(menu, args);
  }
  if (verb === "edit") {
    return forbidden('"edit" opens an editor on the router; use "set".');
  }
  if (menu.kind === "view" || menu.kind === "sealed") {
    return shut(menu.path, verb);
  }
  return judgeChange(menu, verb, args, judgeText);
};

const shut = (path: string, verb: string): Verdict =>
  forbidden(`"${verb}" in ${path} is not done from here: ${whyClosed(path)}.`);
