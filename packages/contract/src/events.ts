import { type Static, Type } from "typebox";
import { NullableString, Time } from "./policy-fields.ts";

/**
 * Something operators are told of as it happens: an event of GET /admin/events, and the body of a webhook call.
 * `type` is the action as the audit log names it, e.g. `budget.warning`; more types may come.
 */
export const RelayEvent = Type.Object(
  {
    id: Type.String({ description: "The same event has the same id, however often it is told" }),
    type: Type.String(),
    created_at: Time,
    actor: Type.String(),
    subject: NullableString,
    outcome: Type.String(),
    detail: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  },
  { $id: "RelayEvent", description: "Something operators are told of as it happens" },
);
export type RelayEvent = Static<typeof RelayEvent>;
