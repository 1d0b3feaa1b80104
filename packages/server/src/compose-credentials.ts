/** Wires who may call: devices, app keys, routers, enrollment codes, and what an admin does with them. */
import type { AppKeyId, DeviceId, RouterId } from "@claude-relay/contract";
import type { Owners } from "./compose-owners.ts";
import type { Config } from "./config.ts";
import { createAppKeyAdmin } from "./credentials/app-key-admin.ts";
import { AppKeyIndex } from "./credentials/app-key-index.ts";
import { createDemandAppVersion } from "./credentials/app-version.ts";
import { createDeviceAdmin } from "./credentials/device-admin.ts";
import { DeviceIndex } from "./credentials/device-index.ts";
import { createEnrollment } from "./credentials/enrollment.ts";
import { createEnrollmentCodeAdmin } from "./credentials/enrollment-code-admin.ts";
import { createIdentify } from "./credentials/identify.ts";
import { createRouterAdmin } from "./credentials/router-admin.ts";
import { RouterIndex } from "./credentials/router-index.ts";
import { createRouterRegistry } from "./credentials/router-registry.ts";
import { createRouterSecrets } from "./credentials/router-secret.ts";
import { createWrapperTokens } from "./credentials/wrapper-token.ts";
import type { Caller, Clock } from "./pipeline/types.ts";
import type { Secrets } from "./secrets.ts";
import type { Store } from "./store/store.ts";

type Options = Readonly<{
  config: Config;
  secrets: Secrets;
  clock: Clock;
  store: Store;
  owners: Owners;
}>;

/** How often the last use of each app key, and the last sight of each router, is written down. */
const usesEveryMs = 30_000;

export const openCredentials = async ({ config, secrets, clock, store, owners }: Options) => {
  const { audit } = store;
  const { organizationOf, bootstrapOf } = owners.directory;
  const renewableMs = config.deviceRenewalDays * 24 * 3_600_000;
  const devices = await DeviceIndex.load(store.devices, clock, organizationOf, renewableMs);
  const keyDefaults = { requestsPerMinute: config.perKeyRpm, requestsPerDay: config.perKeyDaily };
  const appKeys = await AppKeyIndex.load(store.appKeys, clock, keyDefaults, organizationOf);
  const routers = await RouterIndex.load(store.routers, organizationOf);
  const routerSecrets = createRouterSecrets(secrets.jwtSecret, config.jwtSecretPrevious);
  const ofRouters = {
    store: store.routers,
    index: routers,
    secrets: routerSecrets,
    owners: owners.index,
    audit,
    clock,
  };
  // Whose organization a caller is of may be its user's.
  owners.index.users.onChange(() => {
    devices.refreshCallers();
    appKeys.refreshCallers();
    routers.refreshCallers();
  });
  const tokens = createWrapperTokens({
    secret: secrets.jwtSecret,
    previousSecret: config.jwtSecretPrevious,
    lifetimeHours: config.jwtExpirationHours,
    clock,
  });
  const reloadKeys = (): Promise<void> => appKeys.reload(store.appKeys);
  const readKeys = config.redisUrl === null ? null : seldom(reloadKeys, clock);
  const saveUses = async (): Promise<void> => {
    const uses = appKeys.takeUses();
    const sightings = routers.takeSightings();
    await Promise.all([
      uses.length > 0 && store.appKeys.touch(uses),
      sightings.length > 0 && store.routers.touch(sightings),
    ]);
  };
  // A use that could not be written down is not worth an alarm: the store itself reports what is wrong.
  const saving = setInterval(() => void saveUses().catch(() => undefined), usesEveryMs).unref();
  return {
    identify: createIdentify({ tokens, devices, appKeys, readKeys, clock }),
    enrollment: createEnrollment({
      policyOf: bootstrapOf,
      organizationOf,
      tokens,
      devices,
      deviceStore: store.devices,
      codes: store.enrollmentCodes,
      deviceKeys: config.deviceKeys,
      renewableMs,
      demandAppVersion: createDemandAppVersion(config.minAppVersion),
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
    isUnchanged: (caller: Caller): boolean => {
      switch (caller.kind) {
        case "device":
          return devices.isUnchanged(caller);
        case "app_key":
          return appKeys.isUnchanged(caller);
        case "router":
          // Its gate knows, and asks nothing that costs.
          return false;
      }
    },
    isDevice: (id: DeviceId): boolean => devices.get(id) !== null,
    isAppKey: (id: AppKeyId): boolean => appKeys.get(id) !== null,
    routers: createRouterRegistry({ ...ofRouters, sharedSecret: config.handshakeSecret }),
    routerAdmin: createRouterAdmin(ofRouters),
    isRouter: (id: RouterId): boolean => routers.get(id) !== null,
    devices,
    tokens,
    reloadKeys,
    reloadRouters: () => routers.reload(store.routers),
    close: async (): Promise<void> => {
      clearInterval(saving);
      await saveUses().catch(() => undefined);
    },
  };
};

/** So often at most are keys read because somebody brought an unknown one: a stranger may bring many. */
const readEveryMs = 250;

/** All who ask within a while share one run; one that failed changes nothing. */
const seldom = (run: () => Promise<void>, clock: Clock): (() => Promise<void>) => {
  let last: Promise<void> = Promise.resolve();
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (clock.monotonicMs() - lastMs >= readEveryMs) {
      lastMs = clock.monotonicMs();
      last = run().catch(() => undefined);
    }
    return last;
  };
};
