import { randomInt } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** 1 is every SQLite file's own. */
const [least, most] = [2, 2 ** 31 - 1];

/**
 * The number under which this data directory's journal is known to the database; made at the first call, and
 * the same ever after (`DATA_DIR/instance.number`).
 * @param isTaken tells whether another instance has that number
 * @throws Error naming the file when it is not ours
 */
export const instanceNumber = async (
  dataDir: string,
  isTaken: (number: number) => Promise<boolean>,
): Promise<number> => {
  const file = join(dataDir, "instance.number");
  if (existsSync(file)) {
    return parse(readFileSync(file, "utf8"));
  }
  for (;;) {
    const number = randomInt(least, most);
    if (!(await isTaken(number))) {
      keep(file, `${number}\n`);
      return number;
    }
  }
};

const parse = (text: string): number => {
  const number = /^\d{1,10}\n?$/.test(text) ? Number(text) : 0;
  if (number < least || number > most) {
    throw new Error(
      "instance.number in DATA_DIR is damaged. Restore it from a backup; without one, delete it: requests that were open across the damage are then missing from the ledger.",
    );
  }
  return number;
};

/** Whole and on the disk, or not there: under another number, the journal would be folded from its start. */
const keep = (file: string, text: string): void => {
  const draft = openSync(`${file}.new`, "w", 0o600);
  writeSync(draft, text);
  fsyncSync(draft);
  closeSync(draft);
  renameSync(`${file}.new`, file);
};
