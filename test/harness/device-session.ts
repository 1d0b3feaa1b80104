/**
 * A machine with a DeviceSession on it: its clocks stand still until the test moves them, and its requests go to
 * a real relay. Time moves in steps, and each step waits until nothing is under way any more.
 */
import { setImmediate as turn } from "node:timers/promises";
import {
  DeviceSession,
  type DeviceSessionEvent,
  type DeviceSessionOptions,
  type SecretStore,
} from "../../packages/client/src/device/index.ts";
import type { InsideRelay } from "./inside.ts";

export type TestStore = SecretStore & { readonly entries: Map<string, string>; broken: boolean };

/** Stands for a keychain; while `broken` it throws, and says what it was given. */
export const createTestStore = (): TestStore => {
  const entries = new Map<string, string>();
  const store: TestStore = {
    kind: "keychain",
    entries,
    broken: false,
    get: async (name) => {
      demandWhole(store, name);
      return entries.get(name) ?? null;
    },
    set: async (name, value) => {
      demandWhole(store, value);
      entries.set(name, value);
    },
    delete: async (name) => {
      demandWhole(store, name);
      entries.delete(name);
    },
  };
  return store;
};

const demandWhole = ({ broken }: TestStore, given: string): void => {
  if (broken) {
    throw new Error(`planted: ${given}`);
  }
};

type Timer = { at: number; work: () => void };
export type Asked = Readonly<{ path: string; body: Record<string, unknown>; status: number }>;

export class Machine {
  readonly #relay: () => InsideRelay;
  #wall: number;
  #monotonic = 1_000_000;
  #timers: Timer[] = [];
  #underWay = 0;
  #life = 0;
  #sessions: DeviceSession[] = [];
  /** Every answer the relay gave, oldest first. */
  readonly asked: Asked[] = [];
  readonly events: DeviceSessionEvent[] = [];
  readonly lines: string[] = [];
  readonly store = createTestStore();
  /** Instead of the relay. */
  network: typeof globalThis.fetch = (...request) => fetch(...request);

  constructor(relay: () => InsideRelay) {
    this.#relay = relay;
    this.#wall = relay().now();
  }

  readonly clock = { now: () => this.#wall, monotonicMs: () => this.#monotonic };

  readonly timers = {
    after: (milliseconds: number, work: () => void) => {
      const timer = { at: this.#monotonic + milliseconds, work };
      this.#timers.push(timer);
      return () => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      };
    },
  };

  session(options: Partial<DeviceSessionOptions> = {}): DeviceSession {
    const session = new DeviceSession({
      relayUrl: "http://relay.internal",
      environment: {},
      store: this.store,
      clock: this.clock,
      timers: this.timers,
      fetch: (...request) => this.#fetch(...request),
      log: (line) => this.lines.push(line),
      ...options,
    });
    session.on((event) => this.events.push(event));
    this.#sessions.push(session);
    return session;
  }

  /** Time passes, here and at the relay. */
  async advance(milliseconds: number): Promise<void> {
    const until = this.#monotonic + milliseconds;
    for (;;) {
      await this.settle();
      this.#timers.sort((one, other) => one.at - other.at);
      const next = this.#timers[0];
      if (next === undefined || next.at > until) {
        this.#pass(until - this.#monotonic);
        return;
      }
      this.#timers.shift();
      this.#pass(Math.max(0, next.at - this.#monotonic));
      next.work();
    }
  }

  /** Somebody sets this machine's clock: nobody else's, and no time passes. */
  setClock(by: number): void {
    this.#wall += by;
  }

  /** The machine sleeps: time passes, but not for its timers. */
  sleep(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#relay().advance(milliseconds);
  }

  /** Waits until no request is under way and nothing follows from one. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 25; quiet += 1) {
      await turn();
      if (this.#underWay > 0 && this.network !== hungNetwork) {
        quiet = 0;
      }
    }
  }

  paths(): string[] {
    return this.asked.map(({ path }) => path);
  }

  types(): string[] {
    return this.events.map(({ type }) => type);
  }

  /** Time passes meanwhile: a session waits for an answer that may be on its way. */
  async stop(): Promise<void> {
    const stopped = Promise.all(this.#sessions.map((session) => session.stop()));
    await this.advance(3_000);
    await stopped;
  }

  /** A network in which no answer comes, for a while: nobody waits here for what hangs in it. */
  readonly hung: typeof globalThis.fetch = async (...request) => {
    this.#underWay -= 1;
    try {
      return await hungNetwork(...request);
    } finally {
      this.#underWay += 1;
    }
  };

  /** The process dies where it stands, by SIGKILL: what it asked of the relay is done, and nobody hears of it. */
  kill(): void {
    this.#life += 1;
    this.#underWay = 0;
    this.#timers = [];
    this.#sessions = [];
  }

  #pass(milliseconds: number): void {
    this.#wall += milliseconds;
    this.#monotonic += milliseconds;
    this.#relay().advance(milliseconds);
  }

  /** The relay may start anew elsewhere: its name stays. */
  async #fetch(input: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> {
    const { pathname } = new URL(String(input));
    const life = this.#life;
    this.#underWay += 1;
    try {
      const response = await this.network(`${this.#relay().url}${pathname}`, init);
      const bytes = await response.arrayBuffer();
      const body = init.body ? JSON.parse(String(init.body)) : {};
      this.asked.push({ path: pathname, body, status: response.status });
      return new Response(bytes, { status: response.status, headers: response.headers });
    } finally {
      this.#underWay -= life === this.#life ? 1 : 0;
    }
  }
}

/** A network in which requests are sent and no answer ever comes. */
export const hungNetwork: typeof globalThis.fetch = (_input, init) =>
  new Promise((_, reject) => {
    init?.signal?.addEventListener("abort", () => reject(init.signal?.reason), { once: true });
  });

/** A network without the relay in it. */
export const deadNetwork: typeof globalThis.fetch = async () => {
  const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED", syscall: "connect" });
  throw new TypeError("fetch failed", { cause });
};
