import type { Kysely } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { initial } from "./0001-initial.ts";
import { appKeys } from "./0002-app-keys.ts";
import { owners } from "./0003-owners.ts";
import { instances } from "./0004-instances.ts";
import { routers } from "./0005-routers.ts";
import { indexes } from "./0006-indexes.ts";
import { peopleSignIn } from "./0007-people-sign-in.ts";
import { deviceKeys } from "./0008-device-keys.ts";
import { signInLinks } from "./0009-sign-in-links.ts";
import { replayedAt } from "./0010-replayed-at.ts";

/** Every migration, oldest first. Numbers only grow, and a published migration never changes. */
export const migrations: Readonly<Record<string, Migration>> = {
  "0001-initial": initial,
  "0002-app-keys": appKeys,
  "0003-owners": owners,
  "0004-instances": instances,
  "0005-routers": routers,
  "0006-indexes": indexes,
  "0007-people-sign-in": peopleSignIn,
  "0008-device-keys": deviceKeys,
  "0009-sign-in-links": signInLinks,
  "0010-replayed-at": replayedAt,
};

/**
 * Brings a database to the newest schema; does nothing to one that is there already.
 * @throws Error when a migration fails, or when a newer claude-relay has been here.
 */
export const migrate = async <Tables>(
  db: Kysely<Tables>,
  known: Readonly<Record<string, Migration>> = migrations,
): Promise<void> => {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...known }) },
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) {
    return;
  }
  const failed = results?.find((result) => result.status === "Error")?.migrationName;
  throw new Error(
    failed === undefined
      ? "The database was made by a newer claude-relay, or is not one of ours: install that version, or restore a backup"
      : `Migration ${failed} failed`,
    { cause: error },
  );
};
