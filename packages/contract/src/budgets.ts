import { type Static, Type } from "typebox";
import { ScopeIdField } from "./policies.ts";
import { listQuery, NullableString, NullableTime, pageOf, Time } from "./policy-fields.ts";

const BudgetScope = Type.Union([
  Type.Literal("session"),
  Type.Literal("device"),
  Type.Literal("app_key"),
  Type.Literal("router"),
  Type.Literal("user"),
  Type.Literal("organization"),
  Type.Literal("relay"),
]);

/** Days, weeks (from Monday) and months are UTC; `rolling_hours` forgets what is older. */
const WindowField = Type.Union([
  Type.Literal("total"),
  Type.Literal("day"),
  Type.Literal("week"),
  Type.Literal("month"),
  Type.Object(
    { rolling_hours: Type.Integer({ minimum: 1, maximum: 8760 }) },
    { additionalProperties: false },
  ),
]);
export type WindowField = Static<typeof WindowField>;

/** 0: nothing may be spent. */
const AmountField = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const NullableAmount = Type.Union([Type.Integer(), Type.Null()]);

const amounts = {
  limit_micro_usd: Type.Optional(AmountField),
  limit_tokens: Type.Optional(AmountField),
};

export const NewBudgetBody = Type.Object(
  { scope: BudgetScope, scope_id: Type.Optional(ScopeIdField), ...amounts, window: WindowField },
  {
    additionalProperties: false,
    description:
      "Exactly one of limit_micro_usd and limit_tokens. scope_id is left out for the relay only; with scope session, * means each session",
  },
);
export type NewBudgetBody = Static<typeof NewBudgetBody>;

/** What an admin may change; a field left out stays as it is. Dollars stay dollars, tokens tokens. */
export const BudgetChangesBody = Type.Object(
  { ...amounts, window: Type.Optional(WindowField) },
  { additionalProperties: false, minProperties: 1 },
);
export type BudgetChangesBody = Static<typeof BudgetChangesBody>;

const setting = {
  id: Type.String(),
  scope: BudgetScope,
  scope_id: NullableString,
  limit_micro_usd: NullableAmount,
  limit_tokens: NullableAmount,
  window: WindowField,
  created_at: Time,
};

/** A budget as it was set. */
export const Budget = Type.Object(setting);
export type Budget = Static<typeof Budget>;

/** And as it stands, in its unit. Null for `scope_id: "*"`: each session has its own, see `session_id`. */
export const BudgetReport = Type.Object({
  ...setting,
  limit: Type.Integer(),
  held: NullableAmount,
  spent: NullableAmount,
  left: NullableAmount,
  resets_at: NullableTime,
});
export type BudgetReport = Static<typeof BudgetReport>;

export const BudgetPage = pageOf(BudgetReport);

/**
 * A budget that binds whoever asks. One that it shares with others (a session's, an organization's, the relay's;
 * of a user, unless one of the user's devices asks) tells in percent how it stands, not in its unit.
 */
export const BindingBudget = Type.Object({
  scope: BudgetScope,
  unit: Type.Union([Type.Literal("micro_usd"), Type.Literal("tokens")]),
  window: WindowField,
  limit: NullableAmount,
  remaining: NullableAmount,
  remaining_percent: Type.Integer({ minimum: 0, maximum: 100, description: "Rounded down" }),
  resets_at: NullableTime,
});
export type BindingBudget = Static<typeof BindingBudget>;

/** Whole: `next_cursor` is always null. */
export const BindingBudgetPage = pageOf(BindingBudget);

export const BudgetParams = Type.Object({ id: Type.String({ maxLength: 64 }) });
const SessionIdField = Type.String({
  pattern: "^[\\x21-\\x7e]{1,128}$",
  description: "1–128 printable ASCII characters: one session of a budget with scope_id *",
});

/** `session_id` is for callers: with it the session's budgets are listed too. */
export const BudgetListQuery = listQuery({
  session_id: Type.Optional(SessionIdField),
});

export const BudgetQuery = Type.Object({ session_id: Type.Optional(SessionIdField) });
