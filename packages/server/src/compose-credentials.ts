/** Wires who may call: devices, app keys, enrollment codes, and what an admin does with them. */
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

type Options = Readonly<{ config: Config; secrets: Secrets; clock: Clock; store: Store }>;

/** How often the last use of each app key is written down. */
const usesEveryMs = 30_000;

export const openCredentials = async ({ config, secrets, clock, store }: Options) => {
  const { audit } = store;
  const devices = await DeviceIndex.load(store.devices, clock);
  const appKeys = await AppKeyIndex.load(store.appKeys, clock, {
    requestsPerMinute: config.perKeyRpm,
    requestsPerDay: config.perKeyDaily,
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
      policy: config.bootstrap,
      tokens,
      devices,
      deviceStore: store.devices,
      codes: store.enrollmentCodes,
      audit,
      clock,
    }),
    deviceAdmin: createDeviceAdmin({ store: store.devices, index: devices, audit, clock }),
    codeAdmin: createEnrollmentCodeAdmin({ store: store.enrollmentCodes, audit, clock }),
    keyAdmin: createAppKeyAdmin({ store: store.appKeys, index: appKeys, audit, clock }),
    close: async (): Promise<void> => {
      clearInterval(saving);
      await saveUses().catch(() => undefined);
    },
  };
};
