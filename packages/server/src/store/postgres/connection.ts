import { Socket } from "node:net";
import { Client, type ClientConfig, DatabaseError, type QueryConfig, types } from "pg";
import { reason } from "../faults.ts";
import type { PostgresAddress } from "./address.ts";
import { endsSession, PostgresLost } from "./errors.ts";

/** How long to wait, in milliseconds. */
export type Patience = Readonly<{ connectMs: number; statementMs: number }>;

type Rows = Readonly<{ command: string; rowCount: number | null; rows: unknown[] }>;

/** The connection in one holder's hands, until `release`. */
export type Lease = Readonly<{
  query(query: string | QueryConfig, values?: readonly unknown[]): Promise<Rows>;
  /** `discard`: its session is in a state nobody knows. */
  release(discard?: boolean): void;
}>;

/** More than the server's own timeout, which it says so itself when it can. */
const graceMs = 1_000;

/**
 * One session, made when it is needed, made again when it was lost, and never waited for longer than told: a
 * server may be stopped, or behind a cable that is cut.
 */
export class PostgresConnection {
  readonly #address: PostgresAddress;
  readonly #patience: Patience;
  #client: Client | null = null;
  readonly #sockets = new WeakMap<Client, Socket>();
  #free: Promise<void> = Promise.resolve();

  constructor(address: PostgresAddress, patience: Patience) {
    this.#address = address;
    this.#patience = patience;
  }

  /** Waits for its turn. @throws PostgresLost or the server's DatabaseError when there is no session to be had */
  async acquire(): Promise<Lease> {
    const before = this.#free;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = before.then(() => promise);
    await before;
    try {
      const client = this.#client ?? (await this.#connect());
      return {
        query: (query, values) => this.#query(client, query, values),
        release: (discard = false) => {
          if (discard) {
            this.#drop(client);
          }
          resolve();
        },
      };
    } catch (error) {
      resolve();
      throw error;
    }
  }

  /** One query in a turn of its own. @throws as `acquire`, and the server's DatabaseError about the query */
  async query(query: string | QueryConfig, values?: readonly unknown[]): Promise<Rows> {
    const lease = await this.acquire();
    try {
      return await lease.query(query, values);
    } finally {
      lease.release();
    }
  }

  /** Ends what is being waited for, if anything. */
  drop(): void {
    if (this.#client !== null) {
      this.#drop(this.#client);
    }
  }

  /** Takes leave of the server. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    if (client !== null) {
      // A server that hangs does not say goodbye, and its socket would keep us from ending.
      await Promise.race([client.end(), passed(graceMs)]);
      this.#drop(client);
    }
  }

  async #connect(): Promise<Client> {
    const socket = new Socket();
    const client = new Client(clientConfig(this.#address, this.#patience, socket));
    this.#sockets.set(client, socket);
    client.on("error", () => this.#drop(client));
    try {
      await client.connect();
      this.#client = client;
      await this.#query(client, session(this.#patience));
      return client;
    } catch (error) {
      this.#drop(client);
      throw error instanceof DatabaseError || error instanceof PostgresLost
        ? error
        : new PostgresLost(`no connection: ${reason(error)}`, error);
    }
  }

  async #query(
    client: Client,
    query: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<Rows> {
    if (this.#client !== client) {
      throw new PostgresLost("the connection was lost", null);
    }
    const { statementMs } = this.#patience;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#drop(client);
    }, statementMs + graceMs);
    try {
      return await client.query(query as QueryConfig, values?.map(storable));
    } catch (error) {
      if (error instanceof DatabaseError && !late) {
        if (endsSession(error)) {
          this.#drop(client);
        }
        throw error;
      }
      this.#drop(client);
      const why = late ? `no answer within ${(statementMs + graceMs) / 1_000} s` : reason(error);
      throw new PostgresLost(why, error);
    } finally {
      clearTimeout(timer);
    }
  }

  #drop(client: Client): void {
    if (this.#client === client) {
      this.#client = null;
    }
    // Ends a query that is running or queued, without waiting for a server that hangs to say goodbye.
    client.end().catch(() => undefined);
    this.#sockets.get(client)?.destroy();
  }
}

/** Postgres has no NUL in texts: where one is asked for or written, both sides get the same stand-in. */
const storable = (value: unknown): unknown =>
  typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\uFFFD") : value;

/** Server's side of the patience; and a commit that is answered must be on disk, for then the journal's file goes. */
const session = ({ statementMs }: Patience): string =>
  `set statement_timeout = ${statementMs}; set lock_timeout = ${statementMs}; ` +
  `set idle_in_transaction_session_timeout = ${2 * statementMs}; ` +
  "select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

const clientConfig = (
  address: PostgresAddress,
  { connectMs }: Patience,
  socket: Socket,
): ClientConfig => ({
  stream: () => socket,
  host: address.host,
  port: address.port,
  database: address.database,
  user: address.user,
  ...(address.password !== null && { password: address.password }),
  ...(address.options !== null && { options: address.options }),
  ssl: tlsConfig(address.tls),
  application_name: "claude-relay",
  connectionTimeoutMillis: connectMs,
  keepAlive: true,
  types: { getTypeParser },
});

const tlsConfig = (tls: PostgresAddress["tls"]): ClientConfig["ssl"] =>
  tls === null
    ? false
    : {
        rejectUnauthorized: tls.verify,
        ...(tls.ca !== null && { ca: tls.ca }),
        ...(tls.cert !== null && { cert: tls.cert }),
        ...(tls.key !== null && { key: tls.key }),
      };

/** Whole numbers of 64 bits come as numbers, as from SQLite: what the relay counts stays below 2^53. */
const getTypeParser: typeof types.getTypeParser = (oid: number, format?: unknown) =>
  oid === types.builtins.INT8 ? Number : types.getTypeParser(oid, format as "text");

const passed = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
