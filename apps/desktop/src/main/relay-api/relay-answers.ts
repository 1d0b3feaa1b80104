/** What the app reads of the relay's answers; more may stand in them. */
import { Type } from "typebox";

const Count = Type.Number({ minimum: 0 });

/** One page of GET /v1/models. https://docs.anthropic.com/en/api/models-list */
export const ModelsPage = Type.Object({
  data: Type.Array(
    Type.Object({
      id: Type.String({ minLength: 1, maxLength: 256 }),
      display_name: Type.Optional(Type.String()),
      /** The longest answer, in tokens. */
      max_tokens: Type.Optional(Type.Union([Count, Type.Null()])),
    }),
  ),
  has_more: Type.Boolean(),
  last_id: Type.Union([Type.String(), Type.Null()]),
});

/** GET /admin/usage, as a device sees it: its own sums. */
export const UsageSums = Type.Object({
  totals: Type.Object({
    requests: Count,
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cache_creation_5m_input_tokens: Count,
    cache_creation_1h_input_tokens: Count,
    cost_micro_usd: Count,
  }),
});

const Amount = Type.Union([Type.Number(), Type.Null()]);

/** GET /admin/budgets, as a device sees it: the budgets that bind it. */
export const BudgetsPage = Type.Object({
  data: Type.Array(
    Type.Object({
      scope: Type.String(),
      unit: Type.Union([Type.Literal("micro_usd"), Type.Literal("tokens")]),
      window: Type.Union([Type.String(), Type.Object({ rolling_hours: Type.Number() })]),
      limit: Amount,
      remaining: Amount,
      remaining_percent: Type.Number(),
      resets_at: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
});

/** Anthropic's envelope of an error. */
export const ErrorAnswer = Type.Object({
  error: Type.Object({ type: Type.String(), message: Type.String() }),
});
