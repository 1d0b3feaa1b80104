/** A real Postgres server of a test file's own, to be killed, stopped and started again. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { freePort } from "./loopback.ts";

const versions = "/usr/lib/postgresql";

/** Debian keeps the server's programs off the PATH, one folder a version. */
const findPrograms = (): string | null => {
  const numbers = existsSync(versions) ? readdirSync(versions).map(Number) : [];
  const newest = Math.max(0, ...numbers.filter(Number.isInteger));
  const programs = join(versions, String(newest), "bin");
  return existsSync(join(programs, "initdb")) ? programs : null;
};

const programs = findPrograms();

/** Its own order of texts is not that of their bytes. */
export const databaseOptions =
  "template template0 locale_provider icu icu_locale 'en' encoding 'UTF8' locale 'C.UTF-8'";

/** For a test's `skip`: false where Postgres is installed, else the remedy. */
export const postgresMissing: string | false =
  programs === null ? "needs Postgres: apt-get install postgresql" : false;

/** Initdb and the server refuse to run as root. */
const unprivileged = (): { uid: number; gid: number } | Record<string, never> => {
  if (process.getuid?.() !== 0) {
    return {};
  }
  const idOf = (flag: string): number =>
    Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: idOf("-u"), gid: idOf("-g") };
};

export type PostgresSettings = Readonly<{
  /** Off unless a test is about what a crash leaves. */
  fsync?: boolean;
  /** Speaks TLS, with a certificate for 127.0.0.1 that nobody has signed: `certificate`. */
  tls?: boolean;
}>;

/** A database as `DATABASE_URL`, and as the store takes it. */
export type TestDatabase = Readonly<{
  name: string;
  url: string;
  address: Readonly<{
    host: string;
    port: number;
    database: string;
    user: string;
    password: string;
    tls: null;
    options: null;
  }>;
}>;

export const startPostgres = async (settings: PostgresSettings = {}): Promise<PostgresServer> => {
  if (programs === null) {
    throw new Error(String(postgresMissing));
  }
  const user = unprivileged();
  const folder = mkdtempSync(join(tmpdir(), "claude-relay-postgres-"));
  const password = randomBytes(12).toString("hex");
  const passwordFile = join(folder, "password");
  writeFileSync(passwordFile, password);
  if (user.uid !== undefined) {
    chownSync(folder, user.uid, user.gid);
    chownSync(passwordFile, user.uid, user.gid);
  }
  const options = ["--no-sync", "--username=relay", `--pwfile=${passwordFile}`];
  const auth = ["--auth-host=scram-sha-256", "--auth-local=trust", "--encoding=UTF8"];
  const place = ["--locale=C.UTF-8", "-D", join(folder, "data")];
  execFileSync(join(programs, "initdb"), [...options, ...auth, ...place], {
    ...user,
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (settings.tls) {
    makeCertificate(folder, user);
  }
  const server = new PostgresServer(folder, password, await freePort(), settings, user);
  await server.start();
  return server;
};

const [certificateFile, keyFile] = ["server.crt", "server.key"];

const makeCertificate = (folder: string, user: ReturnType<typeof unprivileged>): void => {
  const kind = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  execFileSync("openssl", [...kind, ...names, "-keyout", keyFile, "-out", certificateFile], {
    ...user,
    cwd: folder,
    stdio: "ignore",
  });
};

export class PostgresServer {
  readonly port: number;
  readonly password: string;
  readonly #folder: string;
  readonly #settings: PostgresSettings;
  readonly #user: ReturnType<typeof unprivileged>;
  #process: ChildProcess | null = null;
  #databases = 0;

  constructor(
    folder: string,
    password: string,
    port: number,
    settings: PostgresSettings,
    user: ReturnType<typeof unprivileged>,
  ) {
    this.#folder = folder;
    this.password = password;
    this.port = port;
    this.#settings = settings;
    this.#user = user;
  }

  /** Starts it (again), and waits until it takes connections. */
  async start(): Promise<void> {
    const { fsync = false, tls = false } = this.#settings;
    const settings = [
      "listen_addresses=127.0.0.1",
      `port=${this.port}`,
      `unix_socket_directories=${this.#folder}`,
      `fsync=${fsync ? "on" : "off"}`,
      `ssl=${tls ? "on" : "off"}`,
      `ssl_cert_file=${join(this.#folder, certificateFile)}`,
      `ssl_key_file=${join(this.#folder, keyFile)}`,
      "shared_buffers=16MB",
      "log_min_messages=log",
    ].flatMap((setting) => ["-c", setting]);
    const child = spawn(
      join(String(programs), "postgres"),
      ["-D", join(this.#folder, "data"), ...settings],
      { ...this.#user, cwd: this.#folder, stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#process = child;
    const said: string[] = [];
    const lines = createInterface({ input: child.stderr });
    const ended = once(child, "close").then(() => {
      throw new Error(`Postgres did not start:\n${said.join("\n")}`);
    });
    const ready = new Promise<void>((resolve) => {
      lines.on("line", (line) => {
        said.push(line);
        if (line.includes("ready to accept connections")) {
          resolve();
        }
      });
    });
    ended.catch(() => undefined);
    await Promise.race([ready, ended]);
  }

  /** A new database. */
  async createDatabase(): Promise<TestDatabase> {
    const name = `relay_${++this.#databases}`;
    await this.query("postgres", `create database ${name} ${databaseOptions}`);
    return {
      name,
      url: this.urlOf(name),
      address: {
        host: "127.0.0.1",
        port: this.port,
        database: name,
        user: "relay",
        password: this.password,
        tls: null,
        options: null,
      },
    };
  }

  /** As PEM text; only with `tls`. */
  get certificate(): string {
    return readFileSync(join(this.#folder, certificateFile), "utf8");
  }

  urlOf(database: string): string {
    return `postgres://relay:${this.password}@127.0.0.1:${this.port}/${database}`;
  }

  /** One statement on a connection of its own. */
  async query(database: string, text: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ host: this.#folder, port: this.port, user: "relay", database });
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  /** SIGKILL to all of it at once, as the kernel does it when memory is short. */
  async kill(): Promise<void> {
    const child = this.#running();
    const closed = once(child, "close");
    this.#signal("SIGKILL");
    await closed;
    this.#process = null;
  }

  /** SIGSTOP: connections stay, answers do not come. */
  pause(): void {
    this.#signal("SIGSTOP");
  }

  resume(): void {
    this.#signal("SIGCONT");
  }

  /** Stops as `pg_ctl stop -m fast` does: sessions are ended, nothing is lost. */
  async stop(): Promise<void> {
    const child = this.#running();
    const closed = once(child, "close");
    child.kill("SIGINT");
    await closed;
    this.#process = null;
  }

  /** Ends it, and its files. */
  async remove(): Promise<void> {
    if (this.#process !== null) {
      await this.kill();
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #running(): ChildProcess {
    if (this.#process === null) {
      throw new Error("Postgres is not running");
    }
    return this.#process;
  }

  #signal(signal: NodeJS.Signals): void {
    const server = this.#running().pid ?? 0;
    // The server first: it would start its processes anew.
    for (const pid of [server, ...childrenOf(server)]) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended by itself meanwhile.
      }
    }
  }
}

const childrenOf = (parent: number): number[] =>
  execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (ppid === parent && pid !== undefined ? [pid] : []));
