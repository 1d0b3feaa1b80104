import { type TProperties, type TSchema, Type } from "typebox";

/** Model ids, or patterns with one `*` at the end; null for no restriction. */
export const ModelsField = Type.Union([
  Type.Array(
    Type.String({
      pattern: "^[!-)+-~]+\\*?$",
      maxLength: 128,
      description: "a model id, or its beginning and one * at the end, such as claude-sonnet-*",
    }),
    { maxItems: 256 },
  ),
  Type.Null(),
]);

export const RequestsPerMinuteField = Type.Union([
  Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
  Type.Null(),
]);

export const NameField = Type.Union([Type.String({ minLength: 1, maxLength: 128 }), Type.Null()]);

/** Page size and the opaque cursor of the page before. */
export const PageFields = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
};

/** The query of a list: an unknown field is refused, for a misspelt filter would give everything. */
export const listQuery = <Fields extends TProperties>(fields: Fields) =>
  Type.Object({ ...PageFields, ...fields }, { additionalProperties: false });

export const Time = Type.String({ format: "date-time" });
export const NullableTime = Type.Union([Time, Type.Null()]);
export const NullableString = Type.Union([Type.String(), Type.Null()]);

/** A page of a list; `next_cursor` is null on the last one. */
export const pageOf = <Row extends TSchema>(row: Row) =>
  Type.Object({ data: Type.Array(row), next_cursor: NullableString });
