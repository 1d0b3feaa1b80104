import { readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { isLoopbackHost } from "../pipeline/loopback.ts";
import { Fault } from "./setting.ts";

/** `DATABASE_URL`, taken apart, with the certificates it names read. Holds the password: never logged. */
export type DatabaseAddress = Readonly<{
  /** A name, an IP address, or the folder of a Unix socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | null;
  /** Null: without TLS. */
  tls: Readonly<{
    verify: boolean;
    ca: string | null;
    cert: string | null;
    key: string | null;
  }> | null;
  options: string | null;
}>;

/** What may stand behind the `?`, named and meant as in libpq, with the exceptions of `tlsOf`. */
const known: ReadonlySet<string> = new Set([
  ...["host", "options", "sslmode", "sslrootcert", "sslcert", "sslkey"],
]);

/**
 * Reads a `postgres://` address. Whoever is not on this machine is spoken to through TLS, and must prove its
 * name, unless `sslmode` says otherwise.
 * @throws Fault, which quotes nothing of it: there is a password in it
 */
export const databaseUrl = (value: string): DatabaseAddress => {
  const url = parse(value);
  if ([...url.searchParams.keys()].some((name) => !known.has(name))) {
    // Not by its name: with a ? in the password, it is part of that.
    throw new Fault(
      `has a parameter other than ${[...known].join(", ")}; a ? in the password is written %3F`,
    );
  }
  const host = url.searchParams.get("host") ?? bareHost(url);
  const database = decode(url.pathname.slice(1));
  if (host === "" || database === "") {
    throw new Fault(
      "must name the server and the database: postgres://user:password@host/database",
    );
  }
  return {
    host,
    port: Number(url.port || 5432),
    database,
    user: decode(url.username) || userInfo().username,
    password: url.password === "" ? null : decode(url.password),
    tls: tlsOf(host, url.searchParams),
    options: url.searchParams.get("options"),
  };
};

const parse = (value: string): URL => {
  const schemeless = /^postgres(?:ql)?:\/\/(.*)$/s.exec(value)?.[1];
  // Postgres's own scheme is not one that URL knows: with http, hosts are checked and made lower case. An
  // address without a host names a socket's folder behind the `?`.
  const text = `http://${schemeless?.replace(/^([^/?#]*@)?(?=[/?])/, "$1none.invalid")}`;
  if (schemeless === undefined || !URL.canParse(text)) {
    throw new Fault(
      "must be an address such as postgres://user:password@host:5432/database; signs like @ / # in the password are written %40 %2F %23",
    );
  }
  const url = new URL(text);
  if (url.hash !== "") {
    throw new Fault("must hold no #: in a password it is written %23");
  }
  return url;
};

const bareHost = ({ hostname }: URL): string =>
  hostname === "none.invalid" ? "" : hostname.replace(/^\[(.+)\]$/, "$1");

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Fault("must hold %XX for a sign that is written so, and %25 for % itself");
  }
};

/**
 * `require` and `verify-ca` are as strict as `verify-full`; `allow` and `prefer`, which an attacker can talk
 * out of TLS, are refused.
 */
const tlsOf = (host: string, parameters: URLSearchParams): DatabaseAddress["tls"] => {
  const isHere = host.startsWith("/") || isLoopbackHost(host);
  const mode = parameters.get("sslmode") ?? (isHere ? "disable" : "verify-full");
  if (mode === "disable") {
    return null;
  }
  if (!["require", "verify-ca", "verify-full", "no-verify"].includes(mode)) {
    throw new Fault("must have verify-full, require, no-verify or disable as its sslmode");
  }
  const file = (name: string): string | null => {
    const path = parameters.get(name);
    return path === null ? null : readPem(name, path);
  };
  return {
    verify: mode !== "no-verify",
    ca: file("sslrootcert"),
    cert: file("sslcert"),
    key: file("sslkey"),
  };
};

const readPem = (name: string, path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const why = error instanceof Error && "code" in error ? ` (${error.code})` : "";
    throw new Fault(`names a file as ${name} that cannot be read${why}`);
  }
};
