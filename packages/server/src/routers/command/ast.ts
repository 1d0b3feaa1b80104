/** A RouterOS script as the policy sees it: every command, and everything a command can carry inside it. */

export type Script = readonly Command[];

/** One command. Its leading plain words are path and verb: only the menu table can tell where those end. */
export type Command = Readonly<{
  /** The source text. */
  text: string;
  /** `:put` is `global`, `/ip` is `absolute`, `print` is `relative`, `{ … }` and `[ … ]` alone are `bare`. */
  prefix: "global" | "absolute" | "relative" | "bare";
  args: readonly Argument[];
}>;

/** `name=value`, or a positional value when `name` is null. A null value is `name=` with nothing after it. */
export type Argument = Readonly<{ name: string | null; value: Part | null }>;

export type Part =
  | Readonly<{ kind: "word"; text: string }>
  | StringPart
  | Readonly<{ kind: "variable"; name: string }>
  /** `( … )`, or an array `{ …; … }`. Precedence is of no interest here. */
  | Readonly<{ kind: "group"; parts: readonly Part[] }>
  /** `[ … ]` */
  | Readonly<{ kind: "call"; script: Script }>
  /** `{ … }` that holds commands. */
  | Readonly<{ kind: "block"; script: Script }>
  | Readonly<{ kind: "operator"; text: string }>;

/** A quoted string: `text` is what the router would see, less what is substituted; `parts` are the substitutions. */
export type StringPart = Readonly<{
  kind: "string";
  text: string;
  parts: readonly Part[];
  /** It was written over several lines, so its exact white space depends on the version. */
  joined: boolean;
}>;

/** The text is not RouterOS script as we read it. The message is for the router's owner. */
export class Unreadable extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = "Unreadable";
  }
}
