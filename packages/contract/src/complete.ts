import { type Static, Type } from "typebox";
import { ErrorBody } from "./errors.ts";
import { NullableString } from "./policy-fields.ts";

/** `POST /v1/complete`: one prompt in, one text out. */
export const CompleteRequest = Type.Object(
  {
    prompt: Type.String({ minLength: 1, description: "The user prompt" }),
    system: Type.Optional(Type.String({ description: "The system prompt" })),
    model: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: "opus (default), sonnet, haiku, or a full model id",
      }),
    ),
    output_format: Type.Optional(Type.Union([Type.Literal("text"), Type.Literal("json")])),
    stream: Type.Optional(Type.Boolean({ description: "Answer with server-sent events" })),
    max_tokens: Type.Optional(Type.Integer({ minimum: 1, maximum: 128_000 })),
    json_schema: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: "A JSON Schema the result must fit; implies output_format json",
      }),
    ),
  },
  { additionalProperties: false },
);
export type CompleteRequest = Static<typeof CompleteRequest>;

/** Tokens in Anthropic's words. */
export const CompleteUsage = Type.Object({
  input_tokens: Type.Integer(),
  output_tokens: Type.Integer(),
  cache_read_input_tokens: Type.Integer(),
  cache_creation_input_tokens: Type.Integer(),
});
export type CompleteUsage = Static<typeof CompleteUsage>;

const common = {
  ok: Type.Literal(true),
  request_id: Type.String(),
  model: Type.String({ description: "As asked for" }),
  model_id: Type.String({ description: "The full id it stands for" }),
  duration_ms: Type.Integer(),
  stop_reason: NullableString,
};

export const CompleteText = Type.Object({ ...common, text: Type.String() });
export type CompleteText = Static<typeof CompleteText>;

export const CompleteJson = Type.Object({
  ...common,
  result: Type.Unknown({ description: "The answer's JSON value; the text when it is not JSON" }),
  usage: CompleteUsage,
});
export type CompleteJson = Static<typeof CompleteJson>;

/** Last event of a stream. */
export const CompleteDone = Type.Object({
  ...common,
  usage: CompleteUsage,
  result: Type.Optional(Type.Unknown()),
});
export type CompleteDone = Static<typeof CompleteDone>;

/** Anthropic's error body, and `ok: false` for callers that look at nothing else. */
export const AppErrorBody = Type.Object(
  { ok: Type.Literal(false), ...ErrorBody.properties },
  { description: "An error of an app door: Anthropic's shape and ok: false" },
);
export type AppErrorBody = Static<typeof AppErrorBody>;
