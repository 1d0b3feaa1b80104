import { randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readFile, rm, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseObject } from "../failure.ts";
import type { SessionLock } from "./ports.ts";

type Options = Readonly<{
  /** How often a waiting process looks, in milliseconds. */
  pollMs?: number;
  /** A holder shows this often that it lives. */
  beatMs?: number;
  /** One that has not for so long is taken for dead. */
  staleMs?: number;
}>;

/**
 * A lock over all processes that name the same file: whoever makes it has it. Its folder is made if need be.
 * A holder that died, or hangs, loses it; one that slept with its machine does not. Uses the system's time, since
 * files do.
 */
export const createFileLock = (path: string, options: Options = {}): SessionLock => {
  const { pollMs = 50, beatMs = 5_000, staleMs = 60_000 } = options;
  // Within this process a queue is enough, and fair.
  let last: Promise<unknown> = Promise.resolve();

  const acquire = async (mark: string, signal: AbortSignal): Promise<void> => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    while (!(await create(path, mark))) {
      signal.throwIfAborted();
      const seen = await lookAt(path);
      if (isStale(seen, staleMs) && (await staysSilent(path, seen, beatMs, signal))) {
        await breakLock(path, seen);
      } else {
        await sleep(pollMs * (0.5 + Math.random()), undefined, { signal });
      }
    }
  };

  const acquireIfPossible = async (mark: string, signal: AbortSignal): Promise<void> => {
    try {
      await acquire(mark, signal);
    } catch {
      // A folder that cannot be written must not keep the device from its token: then there is no lock.
      signal.throwIfAborted();
    }
  };

  const holdFile = async <Result>(
    work: () => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> => {
    signal.throwIfAborted();
    const mark = JSON.stringify({ pid: process.pid, host: hostname(), id: randomUUID() });
    await acquireIfPossible(mark, signal);
    const beat = setInterval(() => {
      const now = new Date();
      utimes(path, now, now).catch(() => undefined);
    }, beatMs);
    beat.unref();
    try {
      return await work();
    } finally {
      clearInterval(beat);
      // Not one that another process took in the meantime.
      if ((await contentOf(path)) === mark) {
        await rm(path, { force: true });
      }
    }
  };

  return {
    hold: (work, signal) => {
      const turn = last.then(() => holdFile(work, signal));
      last = turn.catch(() => undefined);
      return turn;
    },
  };
};

/** Makes the file with its content; false when there is one. */
const create = async (path: string, content: string): Promise<boolean> => {
  try {
    const file = await open(path, "wx", 0o600);
    await fill(file, path, content);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST") || (process.platform === "win32" && isCode(error, "EPERM"))) {
      return false;
    }
    throw error;
  }
};

/** On a full disk a file can be made and not written: left there, it would keep all others out. */
const fill = async (file: FileHandle, path: string, content: string): Promise<void> => {
  try {
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
};

const contentOf = async (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");

/** A lock file as it was once. `mtimeMs`: when its holder showed that it lives; undefined when it was gone. */
type Seen = Readonly<{
  content: string;
  mtimeMs: number | undefined;
  /** `unknown`: on another host, or it has not said yet. */
  holder: "alive" | "dead" | "unknown";
}>;

const lookAt = async (path: string): Promise<Seen> => {
  const mtimeMs = await stat(path).then(
    (found) => found.mtimeMs,
    () => undefined,
  );
  const content = await contentOf(path);
  const { pid, host } = parseObject(content) ?? {};
  if (typeof pid !== "number" || host !== hostname()) {
    return { content, mtimeMs, holder: "unknown" };
  }
  return { content, mtimeMs, holder: isAlive(pid) ? "alive" : "dead" };
};

const isStale = ({ mtimeMs, holder }: Seen, staleMs: number): boolean =>
  holder === "dead" ||
  // Both ways: a clock that was set back would make the lock last for ever.
  (mtimeMs !== undefined && Math.abs(Date.now() - mtimeMs) > staleMs);

/**
 * Whether a holder that lives here lets a beat go by: after its machine's sleep its last one is old, and so it was
 * for whoever wakes first. Any other holder is not waited for.
 */
const staysSilent = async (
  path: string,
  seen: Seen,
  beatMs: number,
  signal: AbortSignal,
): Promise<boolean> => {
  // In steps: a sleep meanwhile cuts one of them short, and not the whole wait.
  const steps = seen.holder === "alive" ? 10 : 0;
  for (let step = 0; step < steps; step += 1) {
    await sleep((beatMs * 1.2) / steps, undefined, { signal });
    if (!(await isUnchanged(path, seen))) {
      return false;
    }
  }
  return true;
};

const isUnchanged = async (path: string, seen: Seen): Promise<boolean> => {
  const { content, mtimeMs } = await lookAt(path);
  return mtimeMs === seen.mtimeMs && content === seen.content;
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, "ESRCH");
  }
};

/**
 * Of all that find the lock stale one removes it, and looks again before: a second one would remove the lock
 * of whoever came after.
 */
const breakLock = async (path: string, seen: Seen): Promise<void> => {
  const breaking = `${path}.break`;
  if (!(await create(breaking, ""))) {
    if (isStale(await lookAt(breaking), 10_000)) {
      await rm(breaking, { force: true });
    }
    await sleep(10);
    return;
  }
  try {
    if (await isUnchanged(path, seen)) {
      await rm(path, { force: true });
    }
  } finally {
    await rm(breaking, { force: true });
  }
};

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && (error as NodeJS.ErrnoException).code === code;
