import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export type LastInstance = Readonly<{
  /** The instance that counted for this data directory before and did not end in order; null when it did. */
  died: string | null;
  endedInOrder(): void;
}>;

/**
 * Notes in `DATA_DIR/redis.instance` who counts now, until it ends in order.
 * @throws Error when the file cannot be written
 */
export const followLastInstance = (dataDir: string, instance: string): LastInstance => {
  const file = join(dataDir, "redis.instance");
  const died = existsSync(file) ? readFileSync(file, "utf8").trim() : null;
  writeFileSync(file, `${instance}\n`, { mode: 0o600 });
  return { died, endedInOrder: () => rmSync(file, { force: true }) };
};
