/** The line over ports that only take notes: for the tests of the line's stages. */
import type { IncomingHttpHeaders } from "node:http";
import { type DeviceId, epochMs, microUsd, type RequestId } from "@claude-relay/contract";
import { ActiveExchanges } from "./active-exchanges.ts";
import type { Amounts } from "./admission.ts";
import { createLine, type LineDeps } from "./line.ts";
import type { Log } from "./log.ts";
import type { Directory } from "./owner-ports.ts";
import type {
  Caller,
  CallerReply,
  Ingress,
  Intent,
  Outcome,
  Upstream,
  UpstreamReceiver,
  UpstreamRequest,
} from "./types.ts";

export const body = Buffer.from('{"model":"claude-haiku-4-5","max_tokens":9,"messages":[]}');

export const caller: Caller = {
  kind: "device",
  id: "test-device-0001" as DeviceId,
  userId: null,
  organizationId: null,
  policy: { models: null, requestsPerMinute: null },
};

const quiet: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  isLevelEnabled: () => false,
};

/** A caller that reads what it is given and says when it wants no more. */
class NotedReply implements CallerReply {
  readonly left = false;
  /** What was done to it, in order. */
  readonly notes: string[] = [];
  /** Whether the next writes are taken at once. */
  ready = true;
  drain: () => void = () => {};
  leave: () => void = () => {};

  start(status: number, _headers: string[]): void {
    this.notes.push(`start ${status}`);
  }

  write(chunk: Buffer): boolean {
    this.notes.push(`write ${chunk}`);
    return this.ready;
  }

  end(lastChunk: Buffer | null): void {
    this.notes.push(lastChunk === null ? "end" : `end ${lastChunk}`);
  }

  breakOff(lastChunk: Buffer | null): void {
    this.notes.push(lastChunk === null ? "break off" : `break off ${lastChunk}`);
  }

  onDrain(listener: () => void): void {
    this.drain = listener;
  }

  onLeave(listener: () => void): void {
    this.leave = listener;
  }
}

/** An upstream whose answer the test gives. */
class NotedUpstream implements Upstream {
  readonly name = "test";
  readonly notes: string[] = [];
  receiver: UpstreamReceiver | null = null;
  /** Whose call it last was. */
  callerKey: string | undefined;
  /** Whether it may have seen the request. */
  sent = true;
  /** Resolves when the line has called. */
  readonly called: Promise<UpstreamReceiver>;
  readonly #call: (receiver: UpstreamReceiver) => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<UpstreamReceiver>();
    this.called = promise;
    this.#call = resolve;
  }

  send({ callerKey }: UpstreamRequest, receiver: UpstreamReceiver) {
    this.notes.push("send");
    this.callerKey = callerKey;
    this.#call(receiver);
    const note = (what: string) => (): void => void this.notes.push(what);
    return {
      pause: note("pause"),
      resume: note("resume"),
      cancel: note("cancel"),
      sent: this.sent,
    };
  }
}

/** Where nothing is set on any level. */
export const openDirectory: Directory = {
  limitsOf: () => [],
  requestLimitsOf: () => [],
  budgetsOf: () => [],
  scopesOf: () => [],
  allowsModel: () => () => true,
  modelDeniedBy: () => "relay",
  restrictsModels: () => false,
  onDisconnect: () => "cancel",
  bootstrapOf: () => "open",
  organizationOf: () => null,
};

/** @param changes ports that behave otherwise */
export const lineFixture = (changes: Partial<LineDeps> = {}) => {
  const time = { ms: 1000 };
  const steps: string[] = [];
  const intents: Intent[] = [];
  const outcomes: Outcome[] = [];
  const released: Buffer[] = [];
  const refused: string[] = [];
  const upstream = new NotedUpstream();
  const reply = new NotedReply();
  const active = new ActiveExchanges();
  const settled: (Amounts | null)[] = [];
  const line = createLine({
    authenticate: () => {
      steps.push("authenticate");
      return caller;
    },
    directory: openDirectory,
    admission: {
      refusedAlready: () => {
        steps.push("early");
        return null;
      },
      ask: () => {
        steps.push("hold");
        return { kind: "granted", limits: [], budgets: [] };
      },
      settle: (_id, used) => void settled.push(used),
    },
    isUnchanged: () => false,
    relayAllows: () => true,
    upstream,
    ledger: {
      open: async (intent) => {
        steps.push("open");
        intents.push(intent);
      },
      progress: () => steps.push("progress"),
      close: (outcome) => void outcomes.push(outcome),
    },
    prices: {
      price: ({ usage }) => ({
        costMicroUsd: microUsd(usage.inputTokens + usage.outputTokens),
        flag: null,
      }),
      worstCase: () => microUsd(5000),
      worstTokens: () => 500,
    },
    active,
    clock: { now: () => epochMs(1_790_000_000_000 + time.ms), monotonicMs: () => time.ms },
    log: quiet,
    pingIntervalMs: 15_000,
    flushed: null,
    modelsRestricted: false,
    onRefused: (error, { id }) => void refused.push(`${id}: ${error}`),
    ...changes,
  });
  const ingress = (more: Partial<Ingress> = {}): Ingress => ({
    id: "req_01M7YZMHQTKWWKPHRQEMWPZDY6" as RequestId,
    operation: { kind: "messages", beta: false },
    headers: { authorization: "Bearer x" } satisfies IncomingHttpHeaders,
    readBody: async () => {
      steps.push("body");
      return body;
    },
    releaseBody: (bytes) => void released.push(bytes),
    clientIp: "127.0.0.1",
    startedAt: epochMs(1_790_000_000_000),
    ...more,
  });
  return {
    time,
    steps,
    intents,
    outcomes,
    released,
    refused,
    settled,
    upstream,
    reply,
    active,
    walk: (more?: Partial<Ingress>) => line(ingress(more), reply),
  };
};
