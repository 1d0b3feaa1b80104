import { createInterface } from "node:readline/promises";

/**
 * Whether the person at the terminal says yes: anything else, and giving up, is a no.
 * @param question shown on standard error, so that standard output stays clean
 */
export const saysYes = async (question: string): Promise<boolean> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const given = new Promise<string>((resolve) => {
    lines.once("close", () => resolve(""));
    lines.once("SIGINT", () => lines.close());
    lines.question(`${question} [y/N] `).then(resolve, () => resolve(""));
  });
  try {
    return /^y(es)?$/i.test((await given).trim());
  } finally {
    lines.close();
  }
};

/** Whether somebody can be asked: standard input and standard error are a terminal. */
export const personIsThere = (): boolean =>
  process.stdin.isTTY === true && process.stderr.isTTY === true;
