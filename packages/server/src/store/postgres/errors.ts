import { DatabaseError } from "pg";

/** No answer came, or no connection: whether the statement was carried out is not known. */
export class PostgresLost extends Error {
  readonly code: string;

  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.code =
      cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  }
}

/**
 * Classes of SQLSTATE that speak of the server, the session or the schema, not of the statement's values
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html): connection, transaction state, authorization,
 * catalog, resources, object state, operator intervention, system and internal errors.
 */
const storageClasses = /^(08|25|28|3D|53|55|57|58|F0|XX)/;
/** A right that is missing, a table that is gone. */
const storageCodes: ReadonlySet<string> = new Set(["42501", "42P01"]);

/** Cancelled by `statement_timeout`; a lock not had in time; lost to another transaction. */
const slowCodes: ReadonlySet<string> = new Set(["57014", "55P03", "40001", "40P01"]);

export const isSlowness = (error: unknown): boolean => slowCodes.has(sqlState(error));

export const isStorageFailure = (error: unknown): boolean => {
  const code = sqlState(error);
  return (
    error instanceof PostgresLost ||
    ((storageClasses.test(code) || storageCodes.has(code)) && !slowCodes.has(code))
  );
};

/** True when a value is at fault: no table can hold it. */
export const isValueFault = (error: unknown): boolean => /^2[23]/.test(sqlState(error));

/** True when the server ends the session with this error. */
export const endsSession = (error: DatabaseError): boolean => /^(08|57P|XX)/.test(error.code ?? "");

const sqlState = (error: unknown): string =>
  error instanceof DatabaseError ? (error.code ?? "") : "";

/** What the operator should do, as the end of a sentence. */
export const remedy = (error: unknown): string => {
  const code = error instanceof PostgresLost ? error.code : sqlState(error);
  return remedies.find(([codes]) => codes.test(code))?.[1] ?? "check the server DATABASE_URL names";
};

const remedies: readonly (readonly [RegExp, string])[] = [
  [/^28/, "mend the user or password in DATABASE_URL"],
  [/^3D/, "create the database DATABASE_URL names"],
  [/^42501/, "grant DATABASE_URL's user the right to use and create tables"],
  [/^42P01/, "restore the database's tables from a backup"],
  [/^53100/, "make room on Postgres's disk"],
  [/^53300/, "let Postgres take more connections (max_connections, or the user's limit)"],
  [/^25006/, "name the primary server in DATABASE_URL, not a standby"],
  [
    /CERT|SELF_SIGNED|ISSUER|^ERR_TLS/,
    "name the server's CA with sslrootcert in DATABASE_URL, and the host as its certificate does",
  ],
];
