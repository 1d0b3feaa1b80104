/** Wires who may call: devices, app keys, enrollment codes, and what an admin does with them. */
import type { AppKeyId, DeviceId } from "@claude-relay/contract";
import type { Owners } from "./compose-owners.ts";
import type { Config } from "./config.ts";
import { createAppKeyAdmin } from "./credentials/app-key-admin.ts";
import { AppKeyIndex } from "./credentials/app-key-index.ts";
import { createDeviceAdmin } from "./credentials/device-admin.ts";
import { DeviceIndex } from "./credentials/device-index.ts";
import { createEnrollment } from "./credentials/enrollment.ts";
import { createEnrollmentCodeAdmin } from "./credentials/enrollment-code-admin.ts";
import { createIdentify } from "./credentials/identify.ts";
import { createWrapperTokens } from "./credentials/wrapper-token.ts";
import type { Clock } from "./pipeline/types.ts";
import type { Secrets } from "./secrets.ts";
import type { Store } from "./store/store.ts";

type Options = Readonly<{
  config: Config;
  secrets: Secrets;
  clock: Clock;
  store: Store;
  owners: Owners;
}>;

/** How often the last use of each app key is written down. */
const usesEveryMs = 30_000;

export const openCredentials = async ({ config, secrets, clock, store, owners }: Options) => {
  const { audit } = store;
  const { organizationOf, bootstrapOf } = owners.directory;
  const devices = await DeviceIndex.load(store.devices, clock, organizationOf);
  const keyDefaults = { requestsPerMinute: config.perKeyRpm, requestsPerDay: config.perKeyDaily };
  const appKeys = await AppKeyIndex.load(store.appKeys, clock, keyDefaults, organizationOf);
  // Whose organization a caller is of may be its user's.
  owners.index.users.onChange(() => {
    devices.refreshCallers();
    appKeys.refreshCallers();
  });
  const tokens = createWrapperTokens({
    secret: secrets.jwtSecret,
    previousSecret: config.jwtSecretPrevious,
    lifetimeHours: config.jwtExpirationHours,
    clock,
  });
  const saveUses = (): Promise<void> => {
    const uses = appKeys.takeUses();
    return uses.length === 0 ? Promise.resolve() : store.appKeys.touch(uses);
  };
  // A use that could not be written down is not worth an alarm: the store itself reports what is wrong.
  const saving = setInterval(() => void saveUses().catch(() => undefined), usesEveryMs).unref();
  return {
    identify: createIdentify({ tokens, devices, appKeys, clock }),
    enrollment: createEnrollment({
      policyOf: bootstrapOf,
      organizationOf,
      tokens,
      devices,
      deviceStore: store.devices,
      codes: store.enrollmentCodes,
      audit,
      clock,
    }),
    deviceAdmin: createDeviceAdmin({
      store: store.devices,
      index: devices,
      owners: owners.index,
      audit,
      clock,
    }),
    codeAdmin: createEnrollmentCodeAdmin({
      store: store.enrollmentCodes,
      owners: owners.index,
      audit,
      clock,
    }),
    keyAdmin: createAppKeyAdmin({
      store: store.appKeys,
      index: appKeys,
      owners: owners.index,
      audit,
      clock,
    }),
    isDevice: (id: DeviceId): boolean => devices.get(id) !== null,
    isAppKey: (id: AppKeyId): boolean => appKeys.get(id) !== null,
    devices,
    reloadKeys: () => appKeys.reload(store.appKeys),
    close: async (): Promise<void> => {
      clearInterval(saving);
      await saveUses().catch(() => undefined);
    },
  };
};
