/**
 * Wires several instances together: what one changes, the others read anew. Each keeps devices, keys and owners
 * in memory, so that no request waits for the database; a change is told through Redis.
 */
import type { DeviceId } from "@claude-relay/contract";
import type { openCredentials } from "./compose-credentials.ts";
import type { Owners } from "./compose-owners.ts";
import type { SharedRedis } from "./compose-redis.ts";
import { type ChangeEvent, RedisEvents } from "./limits/redis/redis-events.ts";
import type { Log } from "./pipeline/log.ts";
import type { Store } from "./store/store.ts";

/** Resolves when the change counts in all instances. */
type Tell = (event: ChangeEvent) => Promise<void>;

/** The store, telling of every change that others keep in memory: once it is answered, it counts everywhere. */
export const telling = (store: Store, tell: Tell): Store => {
  const after =
    <Args extends readonly unknown[], Result>(
      work: (...args: Args) => Promise<Result>,
      kind: ChangeEvent["kind"],
      idOf: (...args: Args) => string,
    ) =>
    async (...args: Args): Promise<Result> => {
      const result = await work(...args);
      await tell({ kind, id: idOf(...args) });
      return result;
    };
  const byRow = ({ id }: Readonly<{ id: string }>): string => id;
  const byId = (id: string): string => id;
  const { devices, appKeys, routers, organizations, users, policies, budgets } = store;
  const rows = <Id extends string, Row extends Readonly<{ id: Id }>, Removed>(
    kind: ChangeEvent["kind"],
    port: Readonly<{
      insert(row: Row): Promise<Row>;
      replace(row: Row): Promise<Row | null>;
      remove(id: Id, ...more: never[]): Promise<Removed>;
    }>,
  ) => ({
    insert: after(port.insert, kind, byRow),
    replace: after(port.replace, kind, byRow),
    remove: after(port.remove, kind, byId),
  });
  return {
    ...store,
    devices: {
      ...devices,
      insert: after(devices.insert, "device", byRow),
      upsert: after(devices.upsert, "device", byRow),
      update: after(devices.update, "device", byId),
      supersedeToken: after(devices.supersedeToken, "device", ({ deviceId }) => deviceId),
    },
    appKeys: { ...appKeys, put: after(appKeys.put, "app_key", byRow) },
    routers: {
      ...routers,
      insert: after(routers.insert, "router", byRow),
      replace: after(routers.replace, "router", byRow),
      // Only one process hears routers: the others show when they were last seen all the same.
      touch: after(routers.touch, "router", ([first]) => first?.id ?? ""),
    },
    organizations: { ...organizations, ...rows("organization", organizations) },
    users: { ...users, ...rows("user", users) },
    policies: { ...policies, ...rows("policy", policies) },
    budgets: { ...budgets, ...rows("budget", budgets) },
  };
};

type Options = SharedRedis & Readonly<{ log: Log }>;

type Kept = Readonly<{
  owners: Owners;
  credentials: Awaited<ReturnType<typeof openCredentials>>;
}>;

export type Instances = Readonly<{
  tell: Tell;
  /** From here on others' changes are heard. */
  start(kept: Kept): void;
  close(): void;
}>;

export const openInstances = ({ url, instance, log }: Options): Instances => {
  let kept: Kept | null = null;
  const reading = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      log.error({ error: String(error) }, "What another instance changed could not be read");
    });
  const events = new RedisEvents({
    url,
    instance,
    log,
    onEvent: async (event) => {
      if (kept !== null) {
        await reading(readAnew(kept, event));
      }
    },
    onResync: () => {
      if (kept !== null) {
        void reading(readAll(kept));
      }
    },
  });
  return {
    tell: (event) => events.publish(event),
    start: (all) => {
      kept = all;
      events.start();
    },
    close: () => events.close(),
  };
};

const readAnew = ({ owners, credentials }: Kept, { kind, id }: ChangeEvent): Promise<void> => {
  switch (kind) {
    case "device":
      return credentials.devices.refresh(id as DeviceId);
    case "app_key":
      return credentials.reloadKeys();
    case "router":
      return credentials.reloadRouters();
    case "enrollment_code":
      // Codes are read where they are used.
      return Promise.resolve();
    case "user":
    case "organization":
    case "policy":
    case "budget":
      return owners.index.reload();
  }
};

const readAll = async ({ owners, credentials }: Kept): Promise<void> => {
  await owners.index.reload();
  await Promise.all([
    credentials.devices.reload(),
    credentials.reloadKeys(),
    credentials.reloadRouters(),
  ]);
};
