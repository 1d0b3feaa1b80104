import { type Static, Type } from "typebox";

export const Healthz = Type.Object({
  status: Type.Literal("ok"),
  timestamp: Type.String({ format: "date-time" }),
});
export type Healthz = Static<typeof Healthz>;

export const Health = Type.Object({
  status: Type.Literal("healthy"),
  timestamp: Type.String({ format: "date-time" }),
  version: Type.String(),
  upstream: Type.String({
    description: "What serves /v1/messages: `anthropic` or `simulator`",
  }),
  complete: Type.String({
    description: "What serves /v1/complete: `api`, `cli`, `simulator`, or `closed`: nothing",
  }),
});
export type Health = Static<typeof Health>;

export const Readyz = Type.Object({
  status: Type.Union([Type.Literal("ready"), Type.Literal("not_ready")]),
  reason: Type.Optional(Type.String()),
});
export type Readyz = Static<typeof Readyz>;
