/** A main process that does what a test says: it answers calls, and keeps what it was asked. */
import { EventEmitter, once } from "node:events";
import { CallError } from "../../src/bridge/call-error.ts";
import type { Connection } from "../../src/bridge/connection.ts";
import type { Conversation, ReplyEnding } from "../../src/bridge/conversation.ts";
import type {
  AppState,
  Method,
  ModelChoice,
  Params,
  Results,
  Settings,
} from "../../src/bridge/protocol.ts";
import type { UsageReport } from "../../src/bridge/usage.ts";
import type { Caller } from "./window.ts";

export const relayUrl = "https://relay.example.com";

export const models: readonly ModelChoice[] = [
  { id: "claude-opus-4-5", displayName: "Claude Opus 4.5" },
  { id: "claude-sonnet-4-5", displayName: "Claude Sonnet 4.5" },
  { id: "claude-haiku-4-5", displayName: "Claude Haiku 4.5" },
];

export const noUsage: UsageReport = {
  today: { requests: 0, inputTokens: 0, outputTokens: 0, costMicroUsd: 0 },
  budgets: [],
};

export type Script = {
  connection: Connection;
  settings: Settings;
  notices: readonly string[];
  fixedAddress: string | null;
  models: readonly ModelChoice[];
  usage: UsageReport;
  conversations: Conversation[];
  /** Answers in place of what stands below. */
  answers: { [M in Method]?: (params: Params<M>) => Results[M] | Promise<Results[M]> };
};

export type ScriptedMain = Readonly<{
  script: Script;
  call: Caller;
  calls: readonly Readonly<{ method: string; params: unknown }>[];
  /** What this method was called with so far. */
  asked(method: Method): unknown[];
  /** Resolves with the parameters of the `count`th call of this method, made or yet to be made. */
  called(method: Method, count?: number): Promise<unknown>;
}>;

export const scriptMain = (changes: Partial<Script> = {}): ScriptedMain => {
  const script: Script = {
    connection: { kind: "ready", relayUrl, expiresAt: Date.now() + 20 * 3_600_000 },
    settings: { theme: "system", defaultModel: null },
    notices: [],
    fixedAddress: null,
    models,
    usage: noUsage,
    conversations: [],
    answers: {},
    ...changes,
  };
  const calls: { method: string; params: unknown }[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  const asked = (method: Method) =>
    calls.filter((one) => one.method === method).map(({ params }) => params);
  return {
    script,
    calls,
    asked,
    called: async (method, count = 1) => {
      while (asked(method).length < count) {
        await once(news, "call");
      }
      return asked(method)[count - 1];
    },
    call: async (method, params) => {
      calls.push({ method, params });
      news.emit("call");
      const own = script.answers[method as Method] as ((params: unknown) => unknown) | undefined;
      return own === undefined ? usual(script, method as Method, params) : await own(params);
    },
  };
};

let made = 0;

const usual = (script: Script, method: Method, params: unknown): unknown => {
  const { id = "", conversationId = id } = (params ?? {}) as {
    id?: string;
    conversationId?: string;
  };
  switch (method) {
    case "state.get":
      return stateOf(script);
    case "models.list":
      return script.models;
    case "usage.get":
      return script.usage;
    case "conversations.list":
      return script.conversations.map(({ messages: _, ...summary }) => summary);
    case "conversations.get":
      return found(script, conversationId);
    case "conversations.create": {
      made += 1;
      const { model } = params as Params<"conversations.create">;
      const one = conversation(`made-${made.toString().padStart(8, "0")}`, "New conversation", [], {
        model,
      });
      script.conversations.unshift(one);
      return one;
    }
    case "chat.send": {
      made += 1;
      const { text } = params as Params<"chat.send">;
      return { role: "user", id: `message-${made}`, text, sentAt: Date.now() };
    }
    case "settings.set":
      script.settings = { ...script.settings, ...(params as Partial<Settings>) };
      return script.settings;
    default:
      return null;
  }
};

const stateOf = ({ connection, settings, notices, fixedAddress }: Script): AppState => ({
  appVersion: "0.1.0",
  deviceName: "desk 7",
  connection,
  settings,
  notices,
  fixedAddress,
});

const found = (script: Script, id: string): Conversation => {
  const one = script.conversations.find((each) => each.id === id);
  if (one === undefined) {
    throw new CallError({ code: "not_found", message: "This conversation is gone." });
  }
  return one;
};

/** A conversation in which `words` were said in turn, the user first. */
export const conversation = (
  id: string,
  title: string,
  words: readonly string[],
  more: Readonly<{ model?: string; updatedAt?: number; ending?: ReplyEnding }> = {},
): Conversation => {
  const { model = models[1]?.id ?? "", updatedAt = Date.now(), ending } = more;
  const complete: ReplyEnding = {
    kind: "complete",
    stopReason: "end_turn",
    usage: { inputTokens: 1234, outputTokens: 567 },
  };
  return {
    id,
    title,
    model,
    updatedAt,
    messages: words.map((text, at) =>
      at % 2 === 0
        ? { role: "user", id: `${id}-${at}`, text, sentAt: updatedAt }
        : {
            role: "assistant",
            id: `${id}-${at}`,
            text,
            model,
            sentAt: updatedAt,
            ending: at === words.length - 1 ? (ending ?? complete) : complete,
          },
    ),
  };
};
