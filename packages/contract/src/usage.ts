import { Type } from "typebox";
import { NullableString, PageFields, pageOf, Time } from "./policy-fields.ts";

const timeWords = "YYYY-MM-DD (UTC midnight) or an RFC 3339 date-time with its zone";
const NameFilter = Type.Optional(Type.String({ minLength: 1, maxLength: 128 }));

const OperationField = Type.Union([
  Type.Literal("messages"),
  Type.Literal("complete"),
  Type.Literal("count_tokens"),
  Type.Literal("list_models"),
  Type.Literal("get_model"),
  Type.Literal("fetch"),
  Type.Literal("router"),
]);

const FilterFields = {
  from: Type.Optional(Type.String({ description: `${timeWords}; inclusive` })),
  to: Type.Optional(Type.String({ description: `${timeWords}; exclusive, not before \`from\`` })),
  device: NameFilter,
  app_key: NameFilter,
  router: NameFilter,
  user: NameFilter,
  org: NameFilter,
  model: NameFilter,
  operation: Type.Optional(OperationField),
  upstream: NameFilter,
  status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
};

const FormatField = Type.Optional(Type.Union([Type.Literal("json"), Type.Literal("csv")]));

const dimensions = [
  "device",
  "app_key",
  "router",
  "user",
  "org",
  "model",
  "operation",
  "upstream",
  "day",
  "hour",
  "status",
  "accuracy",
];
const dimension = `(${dimensions.join("|")})`;

export const UsageQuery = Type.Object(
  {
    ...FilterFields,
    group_by: Type.Optional(
      Type.String({
        pattern: `^${dimension}(,${dimension})*$`,
        description: `Comma-separated: ${dimensions.join(", ")}`,
      }),
    ),
    format: FormatField,
  },
  { additionalProperties: false },
);

const Count = Type.Integer({ minimum: 0 });

const totals = {
  requests: Count,
  errors: Type.Integer({
    minimum: 0,
    description:
      "Answered 400 or above, with an error after a 200, broken off by upstream, or lost with the relay's process",
  }),
  estimated: Type.Integer({ minimum: 0, description: "Rows whose tokens are estimated" }),
  input_tokens: Count,
  output_tokens: Count,
  cache_read_input_tokens: Count,
  cache_creation_5m_input_tokens: Count,
  cache_creation_1h_input_tokens: Count,
  web_search_requests: Count,
  web_fetch_requests: Count,
  cost_micro_usd: Type.Integer({ minimum: 0, description: "What is billed" }),
  list_price_micro_usd: Type.Integer({
    minimum: 0,
    description: "The same and what a subscription covers, at list prices",
  }),
  duration_ms: Type.Union([
    Type.Object({ p50: Type.Number(), p95: Type.Number(), p99: Type.Number() }),
    Type.Null(),
  ]),
};

export const UsageReport = Type.Object({
  from: Type.Union([Time, Type.Null()]),
  to: Type.Union([Time, Type.Null()]),
  totals: Type.Object(totals),
  groups: Type.Array(
    Type.Object({
      group: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Null()])),
      ...totals,
    }),
  ),
  truncated: Type.Boolean({ description: "More groups exist than are listed" }),
});

export const UsageRequestsQuery = Type.Object(
  {
    ...PageFields,
    ...FilterFields,
    format: FormatField,
  },
  { additionalProperties: false },
);

const Tokens = {
  input_tokens: Count,
  output_tokens: Count,
  cache_read_input_tokens: Count,
  cache_creation_5m_input_tokens: Count,
  cache_creation_1h_input_tokens: Count,
};

export const UsageRequest = Type.Object({
  id: Type.String(),
  started_at: Time,
  finished_at: Type.Union([Time, Type.Null()]),
  duration_ms: Type.Union([Type.Number(), Type.Null()]),
  first_byte_ms: Type.Union([Type.Number(), Type.Null()]),
  operation: OperationField,
  caller_kind: Type.Union([
    Type.Literal("device"),
    Type.Literal("app_key"),
    Type.Literal("router"),
  ]),
  device_id: NullableString,
  app_key: NullableString,
  router: NullableString,
  user_id: NullableString,
  organization_id: NullableString,
  session_id: NullableString,
  model: NullableString,
  response_model: NullableString,
  stream: Type.Boolean(),
  status: Type.Union([Type.Integer(), Type.Null()]),
  accuracy: Type.Union([Type.Literal("measured"), Type.Literal("estimated"), Type.Literal("free")]),
  ending: Type.String(),
  error_type: NullableString,
  ...Tokens,
  web_search_requests: Count,
  web_fetch_requests: Count,
  service_tier: NullableString,
  speed: NullableString,
  inference_geo: NullableString,
  iterations: Type.Union([
    Type.Array(Type.Object({ model: NullableString, ...Tokens })),
    Type.Null(),
  ]),
  cost_micro_usd: Count,
  list_price_micro_usd: Count,
  price_flag: NullableString,
  hold_micro_usd: Count,
  body_bytes: Count,
  upstream: Type.String(),
  upstream_request_id: NullableString,
});

export const UsageRequestPage = pageOf(UsageRequest);
