/**
 * What the window and the main process say to each other. The window calls methods and hears events; it
 * never sees a token. The main process checks every call by `methodParams` before it believes a word.
 */
import { type Static, type TObject, Type } from "typebox";
import type { Connection } from "./connection.ts";
import type {
  Conversation,
  ConversationSummary,
  ReplyEnding,
  UserMessage,
} from "./conversation.ts";
import type { UsageReport } from "./usage.ts";

const Nothing = Type.Object({}, { additionalProperties: false });
const strict = <Fields extends Record<string, import("typebox").TSchema>>(fields: Fields) =>
  Type.Object(fields, { additionalProperties: false });
const ConversationId = Type.String({ pattern: "^[a-z0-9-]{8,64}$" });
const Model = Type.String({ minLength: 1, maxLength: 256 });

/** The parameters of every method. */
export const methodParams = {
  "state.get": Nothing,
  /** First launch, or another relay. Resolves when the attempt was made; `connection_changed` tells how it went. */
  "relay.connect": strict({
    address: Type.String({ minLength: 1, maxLength: 2048 }),
    enrollmentCode: Type.Optional(Type.String({ maxLength: 128 })),
  }),
  /** Tries now instead of at `retryAt`. */
  "relay.retry": Nothing,
  /** Forgets this device's sign-in and the address; conversations stay. */
  "relay.disconnect": Nothing,
  "models.list": Nothing,
  "usage.get": Nothing,
  "conversations.list": Nothing,
  "conversations.get": strict({ id: ConversationId }),
  "conversations.create": strict({ model: Model }),
  "conversations.rename": strict({
    id: ConversationId,
    title: Type.String({ minLength: 1, maxLength: 200 }),
  }),
  "conversations.set_model": strict({ id: ConversationId, model: Model }),
  "conversations.delete": strict({ id: ConversationId }),
  /** Resolves with the user's message once the answer is on its way; the answer comes as events. */
  "chat.send": strict({
    conversationId: ConversationId,
    text: Type.String({ minLength: 1, maxLength: 1_000_000 }),
  }),
  /** Ends the answer that is coming, and frees it at the relay. */
  "chat.stop": strict({ conversationId: ConversationId }),
  /** Asks again for the last answer, whatever became of it. */
  "chat.retry": strict({ conversationId: ConversationId }),
  "settings.set": strict({
    theme: Type.Optional(
      Type.Union([Type.Literal("system"), Type.Literal("light"), Type.Literal("dark")]),
    ),
    defaultModel: Type.Optional(Model),
  }),
  /** Opens an http(s) or mailto link in the system's browser. */
  "link.open": strict({ url: Type.String({ maxLength: 4096 }) }),
} satisfies Record<string, TObject>;

export type Method = keyof typeof methodParams;
export type Params<M extends Method> = Static<(typeof methodParams)[M]>;

export type Settings = Readonly<{
  theme: "system" | "light" | "dark";
  defaultModel: string | null;
}>;

export type AppState = Readonly<{
  appVersion: string;
  /** What this device calls itself at a relay. */
  deviceName: string;
  connection: Connection;
  settings: Settings;
  /** What the user should know of the machine: that there is no keychain. */
  notices: readonly string[];
  /** The address that PROXY_BOOTSTRAP_URL or CLAUDE_RELAY_URL named: not to be changed in the window. */
  fixedAddress: string | null;
}>;

export type ModelChoice = Readonly<{ id: string; displayName: string }>;

export type Results = Readonly<{
  "state.get": AppState;
  "relay.connect": null;
  "relay.retry": null;
  "relay.disconnect": null;
  "models.list": readonly ModelChoice[];
  "usage.get": UsageReport;
  "conversations.list": readonly ConversationSummary[];
  "conversations.get": Conversation;
  "conversations.create": Conversation;
  "conversations.rename": null;
  "conversations.set_model": null;
  "conversations.delete": null;
  "chat.send": UserMessage;
  "chat.stop": null;
  "chat.retry": null;
  "settings.set": Settings;
  "link.open": null;
}>;

/** What the main process tells the window unasked. */
export type AppEvent =
  | { readonly type: "connection_changed"; readonly connection: Connection }
  /** A list was changed: titles, order, a new or deleted conversation. */
  | {
      readonly type: "conversations_changed";
      readonly conversations: readonly ConversationSummary[];
    }
  | {
      readonly type: "reply_started";
      readonly conversationId: string;
      readonly replyId: string;
      readonly model: string;
    }
  /** More text of the answer, to be put behind what came. */
  | {
      readonly type: "reply_delta";
      readonly conversationId: string;
      readonly replyId: string;
      readonly text: string;
    }
  | {
      readonly type: "reply_ended";
      readonly conversationId: string;
      readonly replyId: string;
      readonly ending: ReplyEnding;
    }
  /** Usage or the list of models is worth asking for again. */
  | { readonly type: "usage_changed" }
  | { readonly type: "models_changed" }
  | { readonly type: "notice"; readonly message: string };

/** A call that failed. `code` is for the program, `message` for the person. */
export type CallFault = Readonly<{ code: CallFaultCode; message: string }>;
export type CallFaultCode =
  | "invalid_params"
  | "unknown_method"
  | "not_found"
  | "busy"
  | "not_connected"
  | "failed";

/** What the window has of the shell: the only thing `src/preload` gives it. */
export interface Bridge {
  /** @throws CallError */
  call<M extends Method>(method: M, params: Params<M>): Promise<Results[M]>;
  /** Gives what ends the listening. */
  on(listener: (event: AppEvent) => void): () => void;
}
