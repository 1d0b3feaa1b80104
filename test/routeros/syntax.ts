import type { Value } from "./values.ts";

/** Where a piece of a script stands, for messages. */
export type Place = Readonly<{ line: number; column: number }>;

export type Expression =
  | { readonly type: "literal"; readonly value: Value }
  /** A bare word: a string to a function, a typed value to a built-in. */
  | { readonly type: "word"; readonly text: string; readonly value: Value }
  | { readonly type: "template"; readonly parts: readonly (string | Expression)[] }
  | { readonly type: "variable"; readonly name: string }
  | { readonly type: "array"; readonly entries: readonly Entry[] }
  | { readonly type: "block"; readonly block: Block }
  | { readonly type: "command"; readonly block: Block }
  | { readonly type: "unary"; readonly operator: string; readonly operand: Expression }
  | {
      readonly type: "binary";
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** An element of `{…}`. `lost`: an unquoted key that a router cannot read back. */
export type Entry = Readonly<{ key?: Expression; lost?: boolean; value: Expression }>;

export type Block = Readonly<{ statements: readonly Statement[]; source: string }>;

export type Argument = Readonly<{ name?: string; value: Expression }>;

/** One test of `find where …` or `print where …`. */
export type Condition = Readonly<{ key: string; operator: string; value: Expression }>;

export type Statement = Place &
  (
    | {
        readonly type: "command";
        /** `:put`, or the canonical path: `/system script add`. */
        readonly name: string;
        /** As it was written. */
        readonly text: string;
        readonly parameters: ReadonlyMap<string, Expression>;
        /** A parameter the command does not have: running it fails. */
        readonly unknown?: string;
        readonly flags: ReadonlySet<string>;
        /** Any of these groups, each of them all. */
        readonly where: readonly (readonly Condition[])[];
      }
    | {
        readonly type: "call";
        readonly target: Expression;
        readonly arguments: readonly Argument[];
      }
    | { readonly type: "scope"; readonly block: Block }
    | { readonly type: "menu"; readonly path: string }
  );
