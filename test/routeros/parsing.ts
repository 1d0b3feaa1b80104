import type { Grammar } from "./grammar.ts";
import type { Scanner } from "./scanner.ts";
import type { Block, Expression } from "./syntax.ts";

/**
 * What the parsing functions share: the cursor, the version's commands, the menu we stand in,
 * and the two forms that hold whole scripts again (wired by parser.ts).
 */
export type Parsing = {
  readonly scanner: Scanner;
  readonly grammar: Grammar;
  menu: string;
  /** `{ … }` as code, standing on its opening brace. */
  block(): Block;
  /** `[ … ]`, standing on its opening bracket. */
  bracket(): Expression;
};
