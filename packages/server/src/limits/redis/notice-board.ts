import type { Log } from "../../pipeline/log.ts";
import { noticesLua } from "./lua/notices.ts";
import { RedisChannel } from "./redis-channel.ts";

/**
 * Something one instance found out and all go by, e.g. that `breaker:anthropic` is `open` for 30 s. Names and values
 * tell no secret.
 */
export type Notice = Readonly<{ name: string; value: string; forMs: number }>;

/** Of two notices of one name, which is believed: the one told last, or the one that lasts longest. */
export type Precedence = "latest" | "longest";

type Options = Readonly<{
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url: string;
  prefix?: string;
  /** This process and no other; its own notices are not told to it. */
  instance: string;
  /** All names there are, and how their notices rank. */
  names: ReadonlyMap<string, Precedence>;
  /** Another instance told it; `forMs` is what is left of it. Never called for what was told here. */
  onNotice: (notice: Notice) => void;
  monotonicMs: () => number;
  /** Everything is compared with Redis so often: what it lost is told again, what was missed is heard. */
  compareEveryMs?: number;
  log: Log;
}>;

/** What Redis says of one name. Versions are times by its clock, in µs: of the telling, or of the end. */
type Said = Readonly<{ value: string; version: number; leftMs: number }>;

type Entry = {
  value: string;
  /** Null until Redis has taken it. */
  version: number | null;
  readonly toldAtMs: number;
  readonly endsAtMs: number;
};

type Name = {
  readonly name: string;
  readonly precedence: Precedence;
  entry: Entry | null;
  /** Tells that Redis has not answered: until it has, nobody knows whose notice is later. */
  unanswered: number;
  /** The best that was heard meanwhile. */
  waiting: Said | null;
};

/**
 * Notices shared between instances. Each acts on its own memory and nothing waits for Redis: a notice is told to all
 * who listen and kept for those who come later. While Redis is away each goes by what it knows; afterwards all agree.
 */
export class NoticeBoard {
  readonly #options: Options;
  readonly #base: string;
  readonly #channelName: string;
  readonly #channel: RedisChannel;
  readonly #names = new Map<string, Name>();
  #timer: NodeJS.Timeout | null = null;
  #comparing = false;

  constructor(options: Options) {
    const { url, prefix = "claude-relay", names, log } = options;
    this.#options = options;
    this.#base = `{${prefix}}:`;
    this.#channelName = `${this.#base}notices`;
    for (const [name, precedence] of names) {
      this.#names.set(name, { name, precedence, entry: null, unanswered: 0, waiting: null });
    }
    this.#channel = new RedisChannel({
      url,
      channel: this.#channelName,
      onMessage: (message) => this.#hear(message),
      onListening: () => void this.#compare(),
      onReachable: () => void this.#compare(),
      log,
    });
  }

  start(): void {
    this.#channel.start();
    this.#timer = setInterval(() => void this.#compare(), this.#options.compareEveryMs ?? 2_000);
    this.#timer.unref();
  }

  /** Tells all other instances, now or when they can be reached. */
  tell({ name: key, value, forMs }: Notice): void {
    const name = this.#names.get(key);
    if (name === undefined) {
      return;
    }
    name.entry = this.#entry(value, null, forMs);
    name.unanswered += 1;
    this.#post([name], true).then(
      ([said]) => {
        name.unanswered -= 1;
        this.#consider(name, said ?? null);
      },
      (error: unknown) => {
        name.unanswered -= 1;
        // When Redis is back it decides what was later.
        name.waiting = null;
        this.#options.log.warn(
          { error: String(error), name: key },
          "Other instances could not be told yet",
        );
      },
    );
  }

  close(): void {
    clearInterval(this.#timer ?? undefined);
    this.#channel.close();
  }

  /** Says all that is known here, and hears what Redis knows better. */
  async #compare(): Promise<void> {
    if (this.#comparing) {
      return;
    }
    this.#comparing = true;
    const names = [...this.#names.values()];
    try {
      for (const [index, said] of (await this.#post(names, false)).entries()) {
        this.#consider(names[index] as Name, said);
      }
    } catch (error) {
      this.#options.log.debug({ error: String(error) }, "notices could not be compared with Redis");
    } finally {
      this.#comparing = false;
    }
  }

  async #post(names: readonly Name[], isNew: boolean): Promise<(Said | null)[]> {
    const now = this.#options.monotonicMs();
    const args = names.flatMap((name) => argsOf(name, now, isNew));
    const reply = (await this.#channel.run(noticesLua, this.#base, [
      this.#options.instance,
      this.#channelName,
      ...args,
    ])) as readonly string[];
    return names.map((_, index) => readSaid(reply.slice(index * 3, index * 3 + 3)));
  }

  #hear(message: string): void {
    const heard = parse(message);
    const name = heard === null ? undefined : this.#names.get(heard.name);
    if (heard === null || name === undefined || heard.from === this.#options.instance) {
      return;
    }
    if (name.entry?.version === null && name.unanswered === 0) {
      // What is known here was never told: Redis decides which of the two is later.
      void this.#compare();
      return;
    }
    this.#consider(name, heard);
  }

  #consider(name: Name, said: Said | null): void {
    if (said !== null && said.version > (name.waiting?.version ?? 0)) {
      name.waiting = said;
    }
    const best = name.waiting;
    if (best === null || name.unanswered > 0) {
      return;
    }
    name.waiting = null;
    const { entry } = name;
    if (entry !== null && entry.version !== null && best.version <= entry.version) {
      return;
    }
    const ownLeftMs = (entry?.endsAtMs ?? 0) - this.#options.monotonicMs();
    const isOurs = entry?.version === null && entry.value === best.value;
    const isLonger = name.precedence === "longest" && best.leftMs > ownLeftMs + roundedMs;
    name.entry = this.#entry(best.value, best.version, best.leftMs);
    if (!isOurs || isLonger) {
      this.#options.onNotice({ name: name.name, value: best.value, forMs: best.leftMs });
    }
  }

  #entry(value: string, version: number | null, forMs: number): Entry {
    const now = this.#options.monotonicMs();
    return { value, version, toldAtMs: now, endsAtMs: now + forMs };
  }
}

/** What is told and heard is in whole milliseconds. */
const roundedMs = 2;

/** An upstream that says to stay away for longer is asked again after a week. */
const mostMs = 7 * 24 * 3_600_000;

/** What the script is told of one name. */
const argsOf = ({ name, precedence, entry }: Name, now: number, isNew: boolean) => {
  const leftMs = Math.min(Math.max(0, Math.ceil((entry?.endsAtMs ?? 0) - now)), mostMs);
  if (entry === null || (precedence === "longest" && leftMs === 0)) {
    return [name, "", "-", 0, 0];
  }
  const sinceMs = isNew ? 0 : Math.floor(entry.toldAtMs - now);
  const offsetMs = precedence === "longest" ? leftMs : sinceMs;
  return [name, entry.value, entry.version ?? "-", offsetMs, leftMs];
};

const readSaid = ([value, version, left]: readonly string[]): Said | null =>
  value === undefined || value === ""
    ? null
    : { value, version: Number(version), leftMs: Number(left) };

const parse = (message: string): (Said & { from: string; name: string }) | null => {
  const [from, name, value, version, left, ...more] = message.split(" ");
  const said = readSaid([value ?? "", version ?? "", left ?? ""]);
  const isWhole =
    said !== null && Number.isFinite(said.version) && said.leftMs >= 0 && more.length === 0;
  return from === undefined || name === undefined || !isWhole ? null : { ...said, from, name };
};
