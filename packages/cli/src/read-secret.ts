import type { ReadStream } from "node:tty";
import { Fault } from "./fault.ts";

type Input = NodeJS.ReadableStream & Partial<Pick<ReadStream, "isTTY" | "setRawMode">>;

/** More than any password is. */
const mostBytes = 64 * 1024;

/**
 * The first line of what comes in. On a terminal it is asked for, and what is typed is not shown.
 * @throws Fault when nothing comes, or the person gives up
 */
export const readSecret = async (input: Input, ask: () => void): Promise<string> => {
  const secret = input.isTTY ? await typed(input, ask) : await piped(input);
  if (secret === "") {
    throw new Fault("Nothing was given: the password is read from standard input, one line.");
  }
  return secret;
};

const piped = async (input: Input): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > mostBytes) {
      throw new Fault("What came on standard input is too long for a password.");
    }
    chunks.push(part);
  }
  return Buffer.concat(chunks).toString("utf8").split(/\r?\n/, 1)[0] ?? "";
};

const enter = ["\r", "\n"];
const giveUp = ["\u0003", "\u0004"];
const rubOut = ["\u007f", "\b"];

const typed = (input: Input, ask: () => void): Promise<string> =>
  new Promise((resolve, reject) => {
    const letters: string[] = [];
    const end = (): void => {
      input.off("data", onData);
      input.setRawMode?.(false);
      input.pause();
    };
    const onData = (chunk: Buffer | string): void => {
      for (const letter of chunk.toString()) {
        if (enter.includes(letter)) {
          end();
          resolve(letters.join(""));
          return;
        }
        if (giveUp.includes(letter)) {
          end();
          reject(new Fault("Given up: nothing was changed."));
          return;
        }
        if (rubOut.includes(letter)) {
          letters.pop();
        } else {
          letters.push(letter);
        }
      }
    };
    ask();
    // A letter may come in two parts.
    input.setEncoding("utf8");
    input.setRawMode?.(true);
    input.on("data", onData).resume();
  });
