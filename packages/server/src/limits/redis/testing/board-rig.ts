import type { TestContext } from "node:test";
import { RedisServer } from "../../../../../../test/harness/redis.ts";
import { type Notice, NoticeBoard, type Precedence } from "../notice-board.ts";
import { silentLog, until } from "../test-setup.ts";

const names = new Map<string, Precedence>([
  ["breaker", "latest"],
  ["key", "longest"],
]);

/** A board, what it heard, and what its instance goes by. */
class Reader {
  readonly board: NoticeBoard;
  readonly heard: Notice[] = [];
  readonly believed = new Map<string, string>();
  #keyEndsAt = 0;

  constructor(url: string, instance: string, prefix: string) {
    this.board = new NoticeBoard({
      url,
      prefix,
      instance,
      names,
      onNotice: (notice) => {
        this.heard.push(notice);
        this.#believe(notice);
      },
      monotonicMs: () => performance.now(),
      compareEveryMs: 50,
      log: silentLog,
    });
  }

  get restsForMs(): number {
    return Math.max(0, this.#keyEndsAt - performance.now());
  }

  tell(name: string, value: string, forMs: number): void {
    this.#believe({ name, value, forMs });
    this.board.tell({ name, value, forMs });
  }

  #believe({ name, value, forMs }: Notice): void {
    this.believed.set(name, value);
    if (name === "key") {
      this.#keyEndsAt = Math.max(this.#keyEndsAt, performance.now() + forMs);
    }
  }
}

let prefixes = 0;

/** A Redis of the test's own and boards on it. */
export const boardRig = async (t: TestContext) => {
  const server = new RedisServer();
  const readers: Reader[] = [];
  prefixes += 1;
  const prefix = `board-${prefixes}`;
  t.after(async () => {
    for (const { board } of readers) {
      board.close();
    }
    await server.remove();
  });
  await server.start();
  const client = server.client();
  client.on("error", () => {});
  t.after(() => client.disconnect());
  const make = (): Reader => {
    const reader = new Reader(server.url, `i${readers.length}`, prefix);
    readers.push(reader);
    return reader;
  };
  const connect = async (): Promise<Reader> => {
    const reader = make();
    const channel = `{${prefix}}:notices`;
    const listening = async () => Number((await client.pubsub("NUMSUB", channel))[1]);
    const before = await listening();
    reader.board.start();
    await until(async () => (await listening()) > before);
    return reader;
  };
  return { server, client, prefix, make, connect };
};

/** Waits until it goes by this. */
export const learns = (reader: Reader, name: string, value: string): Promise<void> =>
  until(() => reader.believed.get(name) === value);
