import { whyClosed } from "./closed.ts";
import type { Target } from "./resolve.ts";
import { judgeGlobal } from "./rules-global.ts";
import { judgeVerb } from "./rules-verb.ts";
import type { JudgeText } from "./rules-write.ts";
import { forbidden, read, type Verdict } from "./verdict.ts";

/** A command with its verdict, before it is shown. */
export type Found = Verdict & Readonly<{ text: string; path: string; verb: string }>;

/** Judges a command by what it addresses. What is nested in it is judged elsewhere. */
export const judgeTarget = (target: Target, text: string, judgeText: JudgeText): Found => {
  switch (target.kind) {
    case "verb": {
      const { menu, verb } = target;
      return { ...judgeVerb(target, judgeText), text, path: menu.path, verb };
    }
    case "global":
      return {
        ...judgeGlobal(target.rule, target.args),
        text,
        path: ":",
        verb: target.rule.name,
      };
    case "move":
    case "menu_block":
      return {
        ...read(`Goes to the menu ${target.menu.path}.`),
        text,
        path: target.menu.path,
        verb: "",
      };
    case "closed": {
      const { path } = target.menu;
      return {
        ...forbidden(`${path} is not used from here: ${whyClosed(path)}.`),
        text,
        path,
        verb: "",
      };
    }
    case "unknown":
      return { ...forbidden(target.reason), text, path: target.path, verb: "" };
  }
};
