/** The lines between shell and main process (bridge/wire.ts): one JSON value a line, both ways. */
import type { Readable, Writable } from "node:stream";
import { type TSchema, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { FromMain, FromShell } from "../../bridge/wire.ts";

/** In characters. The longest message a user may send fits, even where JSON must escape all of it. */
const longestLine = 8 * 1024 * 1024;

export type ShellLines = Readonly<{ send(line: FromMain): void }>;

type Options = Readonly<{
  input: Readable;
  output: Writable;
  onLine: (line: FromShell) => void;
  /** The shell closed its end, or is gone. */
  onEnd: () => void;
  log: (line: string) => void;
}>;

/** Reads the shell's lines and writes ours. What is no line of the wire is left out, and the log says so. */
export const openShellLines = ({ input, output, onLine, onEnd, log }: Options): ShellLines => {
  const take = (text: string): void => {
    const line = parseLine(text);
    if (line === undefined) {
      // Never its content: a line may hold a secret.
      log(`A line of the shell that means nothing was left out (${text.length} characters).`);
    } else {
      onLine(line);
    }
  };
  const splitter = createSplitter(take, () => {
    log(`A line of the shell was left out: it is longer than ${longestLine} characters.`);
  });
  let isOpen = true;
  const end = (): void => {
    if (isOpen) {
      isOpen = false;
      onEnd();
    }
  };
  input.setEncoding("utf8").on("data", splitter).once("end", end).once("error", end);
  output.on("error", end);
  return {
    send: (line) => {
      if (output.writable) {
        output.write(`${JSON.stringify(line)}\n`);
      }
    },
  };
};

/** Gives lines out of chunks; what grows too long is let go up to its end. */
const createSplitter = (
  onLine: (text: string) => void,
  onTooLong: () => void,
): ((chunk: string) => void) => {
  let parts: string[] = [];
  let length = 0;
  const finish = (): void => {
    if (length > longestLine) {
      onTooLong();
    } else if (length > 0) {
      onLine(parts.join(""));
    }
    parts = [];
    length = 0;
  };
  const add = (part: string): void => {
    length += part.length;
    if (length > longestLine) {
      parts = [];
    } else {
      parts.push(part);
    }
  };
  return (chunk) => {
    const [first = "", ...rest] = chunk.split("\n");
    add(first);
    for (const part of rest) {
      finish();
      add(part);
    }
  };
};

/** A line of the wire; undefined for anything else. */
const parseLine = (text: string): FromShell | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return fromShell.Check(value) ? value : undefined;
  } catch {
    return undefined;
  }
};

const Id = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const line = <Name extends string, Fields extends Record<string, TSchema>>(
  type: Name,
  fields: Fields,
) => Type.Object({ type: Type.Literal(type), ...fields });

const fromShell = Compile(
  Type.Union([
    line("call", { id: Id, method: Type.String(), params: Type.Unknown() }),
    line("secret_reply", { id: Id, value: Type.Union([Type.String(), Type.Null()]) }),
    line("secret_fault", {
      id: Id,
      code: Type.Union([Type.Literal("no_keychain"), Type.Literal("failed")]),
      message: Type.String(),
    }),
    line("woke", {}),
  ]),
);
