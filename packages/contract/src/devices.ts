import { type Static, Type } from "typebox";
import { DeviceIdField } from "./bootstrap.ts";
import {
  listQuery,
  ModelsField,
  NameField,
  NullableString,
  NullableTime,
  pageOf,
  RequestsPerMinuteField,
  Time,
} from "./policy-fields.ts";

export const DeviceStatus = Type.Union([
  Type.Literal("pending"),
  Type.Literal("active"),
  Type.Literal("disabled"),
  Type.Literal("revoked"),
]);

export const Device = Type.Object({
  id: Type.String(),
  status: DeviceStatus,
  waiting_for_approval: Type.Boolean(),
  label: NullableString,
  app_version: NullableString,
  device_key_fingerprint: NullableString,
  waiting_key_fingerprint: Type.Union([Type.String(), Type.Null()], {
    description: "Of the other key that the device asks for an approval with",
  }),
  user_id: NullableString,
  organization_id: NullableString,
  models: ModelsField,
  requests_per_minute: RequestsPerMinuteField,
  created_at: Time,
  approved_at: NullableTime,
  last_bootstrap_at: NullableTime,
});
export type Device = Static<typeof Device>;

export const DevicePage = pageOf(Device);

export const DeviceParams = Type.Object({ id: DeviceIdField });

export const ApproveDeviceBody = Type.Object(
  {
    device_key_fingerprint: Type.Optional(
      Type.String({
        pattern: "^[0-9a-f]{4}(-[0-9a-f]{4}){3}$",
        description: "4 groups of 4 hexadecimal digits: approves this key, and no other",
      }),
    ),
  },
  { additionalProperties: false },
);

export const DeviceListQuery = listQuery({ status: Type.Optional(DeviceStatus) });

/** What an admin may change; a field left out stays as it is. */
export const DeviceChangesBody = Type.Object(
  {
    status: Type.Optional(
      Type.Union([Type.Literal("active"), Type.Literal("disabled"), Type.Literal("revoked")]),
    ),
    label: Type.Optional(NameField),
    user_id: Type.Optional(NameField),
    organization_id: Type.Optional(NameField),
    models: Type.Optional(ModelsField),
    requests_per_minute: Type.Optional(RequestsPerMinuteField),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type DeviceChangesBody = Static<typeof DeviceChangesBody>;
