import { Type } from "typebox";
import { NullableString, PageFields, Time } from "./policy-fields.ts";

const FilterFields = {
  from: Type.Optional(Type.String({ description: "ISO 8601, inclusive" })),
  to: Type.Optional(Type.String({ description: "ISO 8601, exclusive" })),
  device: Type.Optional(Type.String({ maxLength: 128 })),
  user: Type.Optional(Type.String({ maxLength: 128 })),
  org: Type.Optional(Type.String({ maxLength: 128 })),
  model: Type.Optional(Type.String({ maxLength: 128 })),
};

const FormatField = Type.Optional(Type.Union([Type.Literal("json"), Type.Literal("csv")]));

export const UsageQuery = Type.Object(
  {
    ...FilterFields,
    group_by: Type.Optional(
      Type.String({
        pattern:
          "^(device|user|org|model|day|hour|status|accuracy)(,(device|user|org|model|day|hour|status|accuracy))*$",
        description: "Comma-separated: device, user, org, model, day, hour, status, accuracy",
      }),
    ),
    format: FormatField,
  },
  { additionalProperties: false },
);

const Count = Type.Integer({ minimum: 0 });

const totals = {
  requests: Count,
  errors: Type.Integer({ minimum: 0, description: "Answered 400 or above" }),
  estimated: Type.Integer({ minimum: 0, description: "Rows whose tokens are estimated" }),
  input_tokens: Count,
  output_tokens: Count,
  cache_read_input_tokens: Count,
  cache_creation_5m_input_tokens: Count,
  cache_creation_1h_input_tokens: Count,
  web_search_requests: Count,
  web_fetch_requests: Count,
  cost_micro_usd: Count,
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
    status: Type.Optional(Type.Integer({ minimum: 100, maximum: 599 })),
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
  operation: Type.String(),
  caller_kind: Type.String(),
  device_id: Type.String(),
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
  price_flag: NullableString,
  hold_micro_usd: Count,
  body_bytes: Count,
  upstream: Type.String(),
  upstream_request_id: NullableString,
});

export const UsageRequestPage = Type.Object({
  data: Type.Array(UsageRequest),
  next_cursor: NullableString,
});
