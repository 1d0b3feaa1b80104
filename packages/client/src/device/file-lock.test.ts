import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { promisify } from "node:util";
import { createFileLock } from "./file-lock.ts";

const lockPath = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), "file-lock-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "deeper", "one.lock");
};

const execute = promisify(execFile);
const onWindows = process.platform === "win32";

const never = new AbortController().signal;

const mark = (pid: number, host = hostname()): string => JSON.stringify({ pid, host, id: "other" });

describe("a file lock", () => {
  it("lets one work at a time, however many hold it by whatever object", async (t) => {
    const path = lockPath(t);
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
    };
    const locks = Array.from({ length: 8 }, () => createFileLock(path, { pollMs: 1 }));
    await Promise.all(locks.flatMap((lock) => [lock.hold(work, never), lock.hold(work, never)]));
    assert.equal(most, 1);
    assert.ok(!existsSync(path));
  });

  it("is let go when the work fails, with the work's own error", async (t) => {
    const path = lockPath(t);
    const lock = createFileLock(path);
    const failing = lock.hold(async () => Promise.reject(new Error("planted")), never);
    await assert.rejects(failing, /planted/);
    assert.equal(await lock.hold(async () => "next", never), "next");
  });

  it("of a living process is waited for, until the signal aborts", async (t) => {
    const path = lockPath(t);
    await createFileLock(path).hold(async () => undefined, never);
    writeFileSync(path, mark(process.pid));
    const leaving = new AbortController();
    const lock = createFileLock(path, { pollMs: 1 });
    let ran = false;
    const waiting = lock.hold(async () => {
      ran = true;
    }, leaving.signal);
    await new Promise((resolve) => setTimeout(resolve, 30));
    leaving.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.equal(ran, false);
    assert.ok(existsSync(path), "it is another's");
  });

  it("of a dead process, or one silent for a minute, is broken; by many at once too", async (t) => {
    const path = lockPath(t);
    await createFileLock(path).hold(async () => undefined, never);
    // A process id beyond what systems give.
    const dead = mark(2 ** 30);
    const silent = mark(process.pid, "another-host");
    for (const content of [dead, silent, "", "garbage"]) {
      writeFileSync(path, content);
      if (content !== dead) {
        utimesSync(path, new Date(), new Date(Date.now() - 61_000));
      }
      let inside = 0;
      const work = async (): Promise<number> => {
        inside += 1;
        assert.equal(inside, 1);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
        return inside;
      };
      const locks = Array.from({ length: 6 }, () => createFileLock(path, { pollMs: 1 }));
      await Promise.all(locks.map((lock) => lock.hold(work, never)));
    }
  });

  it("of a clock that was set back does not last for ever", async (t) => {
    const path = lockPath(t);
    await createFileLock(path).hold(async () => undefined, never);
    writeFileSync(path, mark(process.pid));
    utimesSync(path, new Date(), new Date(Date.now() + 3_600_000));
    const lock = createFileLock(path, { beatMs: 20 });
    assert.equal(await lock.hold(async () => "in", never), "in");
  });

  it("of a living process that was asleep with its machine is not broken once that beats", async (t) => {
    const path = lockPath(t);
    await createFileLock(path).hold(async () => undefined, never);
    writeFileSync(path, mark(process.pid));
    const anHourAgo = new Date(Date.now() - 3_600_000);
    utimesSync(path, anHourAgo, anHourAgo);
    const leaving = new AbortController();
    const lock = createFileLock(path, { pollMs: 1, beatMs: 200 });
    let ran = false;
    const waiting = lock.hold(async () => {
      ran = true;
    }, leaving.signal);
    // The waiting process is the first to wake.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = new Date();
    utimesSync(path, now, now);
    await new Promise((resolve) => setTimeout(resolve, 400));
    leaving.abort(new Error("enough"));
    await assert.rejects(waiting, /enough/);
    assert.equal(ran, false);
    assert.ok(existsSync(path), "it is another's");
  });

  it("of a living process that shows no life any more is broken", async (t) => {
    const path = lockPath(t);
    await createFileLock(path).hold(async () => undefined, never);
    writeFileSync(path, mark(process.pid));
    utimesSync(path, new Date(), new Date(Date.now() - 61_000));
    const lock = createFileLock(path, { pollMs: 1, beatMs: 20 });
    assert.equal(await lock.hold(async () => "in", never), "in");
  });

  it("leaves no file behind on a disk that takes no content", { skip: onWindows }, async (t) => {
    const path = lockPath(t);
    const module = JSON.stringify(new URL("file-lock.ts", import.meta.url).href);
    const work = `async () => console.log("worked", existsSync(${JSON.stringify(path)}))`;
    const script = `
      import { existsSync } from "node:fs";
      const { createFileLock } = await import(${module});
      await createFileLock(${JSON.stringify(path)}).hold(${work}, new AbortController().signal);`;
    // Files can be made, and every byte is one too many.
    const limited = 'ulimit -f 0; exec "$0" --input-type=module --eval "$1"';
    const { stdout } = await execute("sh", ["-c", limited, process.execPath, script]);
    assert.equal(stdout, "worked false\n");
    assert.ok(!existsSync(path));
  });

  it("that cannot be written keeps nobody from working", async (t) => {
    const path = lockPath(t);
    const folder = join(path, "..", "..");
    writeFileSync(join(folder, "deeper"), "a file where a folder should be");
    assert.equal(await createFileLock(path).hold(async () => "done", never), "done");
  });
});
