import { type Static, Type } from "typebox";
import { Time } from "./policy-fields.ts";

const Day = (description: string) =>
  Type.String({
    pattern: "^\\d{4}-\\d\\d-\\d\\d$",
    description: `YYYY-MM-DD, in UTC; ${description}`,
  });

export const ReconcileQuery = Type.Object(
  {
    from: Day("inclusive"),
    to: Day("exclusive; at most 186 days after `from`, and tomorrow at the latest"),
    tolerance_percent: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 100,
        default: 1,
        description: "How far two figures may lie apart and still agree, of the larger one",
      }),
    ),
  },
  { additionalProperties: false },
);

/** What is compared, each by itself. Tokens in Anthropic's words; `input_tokens` without the cache's. */
export const reconciledAmounts = [
  "input_tokens",
  "output_tokens",
  "cache_read_input_tokens",
  "cache_creation_5m_input_tokens",
  "cache_creation_1h_input_tokens",
  "web_search_requests",
  "cost_micro_usd",
] as const;

const each = <Schema>(schema: Schema) => ({
  input_tokens: schema,
  output_tokens: schema,
  cache_read_input_tokens: schema,
  cache_creation_5m_input_tokens: schema,
  cache_creation_1h_input_tokens: schema,
  web_search_requests: schema,
  cost_micro_usd: schema,
});

const Whole = Type.Integer();
const Amounts = Type.Object(each(Whole));
const OwnAmounts = Type.Object({ requests: Type.Integer({ minimum: 0 }), ...each(Whole) });

export type ReconciledAmounts = Static<typeof Amounts>;

const compared = {
  ours: OwnAmounts,
  estimated: OwnAmounts,
  theirs: Amounts,
  difference: Type.Object(each(Whole), { description: "Ours less theirs" }),
  relative: Type.Object(each(Type.Union([Type.Number(), Type.Null()])), {
    description: "The difference as a share of theirs; null where theirs is 0 and ours is not",
  }),
};

export const ReconcileReport = Type.Object({
  from: Type.String(),
  to: Type.String(),
  upstream: Type.String({ description: "Whose ledger rows were compared" }),
  asked_at: Time,
  open_day: Type.Union([Type.String(), Type.Null()], {
    description: "The day in the span that is not over yet: its figures still move",
  }),
  tolerance_percent: Type.Number(),
  agrees: Type.Boolean({ description: "No row has drifted" }),
  totals: Type.Object(compared),
  rows: Type.Array(
    Type.Object({
      day: Type.String(),
      cost_type: Type.String({
        description: "`tokens`; other costs have no model: `web_search`, `code_execution` …",
      }),
      model: Type.Union([Type.String(), Type.Null()], {
        description: "The model that answered, without the date in its id",
      }),
      verdict: Type.Union(
        [Type.Literal("match"), Type.Literal("estimates"), Type.Literal("drift")],
        { description: "`estimates`: apart, but by no more than what was estimated can explain" },
      ),
      sides: Type.Union([Type.Literal("both"), Type.Literal("ours"), Type.Literal("theirs")]),
      ...compared,
    }),
  ),
});
export type ReconcileReport = Static<typeof ReconcileReport>;
