import { urlHost } from "../../pipeline/url-host.ts";

/** Where a Postgres database is and how it is reached: `DATABASE_URL`, taken apart. */
export type PostgresAddress = Readonly<{
  /** A name, an IP address, or the folder of a Unix socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | null;
  /** Null: without TLS. Certificates and keys as PEM text. */
  tls: Readonly<{
    verify: boolean;
    ca: string | null;
    cert: string | null;
    key: string | null;
  }> | null;
  /** The server's settings for this session, such as `-c search_path=relay`. */
  options: string | null;
}>;

/** For messages: without user and password. */
export const shownAddress = ({ host, port, database }: PostgresAddress): string =>
  `${urlHost(host)}:${port}/${database}`;
