import type { IncomingHttpHeaders } from "node:http";

/** A cookie of this host alone. */
export type HostCookie = Readonly<{
  /** Every value that the browser sent, well-formed by `shape`; a few, should it have many. */
  read(headers: IncomingHttpHeaders): readonly string[];
  /** A `set-cookie` that keeps a value for so many seconds. */
  set(value: string, maxAgeSeconds: number): string;
  /** A `set-cookie` that forgets it. */
  clear(): string;
}>;

type Options = Readonly<{
  name: string;
  shape: RegExp;
  /** `Lax` is also sent by a browser that comes back from another site. */
  sameSite: "Strict" | "Lax";
  /** The address people use. */
  baseUrl: () => string;
}>;

const mostRead = 4;

/** Over https the name has the prefix with which browsers take the cookie from this very host alone. */
export const createHostCookie = ({ name, shape, sameSite, baseUrl }: Options): HostCookie => {
  const isSecure = (): boolean => baseUrl().startsWith("https:");
  const nameOf = (): string => (isSecure() ? `__Host-${name}` : name);
  const set = (value: string, maxAgeSeconds: number): string => {
    const secure = isSecure() ? "; Secure" : "";
    return `${nameOf()}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=${sameSite}${secure}`;
  };
  return {
    read: ({ cookie = "" }) =>
      cookie
        .split(";")
        .map((part) => part.trim())
        .filter((part) => part.startsWith(`${nameOf()}=`))
        .map((part) => part.slice(nameOf().length + 1))
        .filter((value) => shape.test(value))
        .slice(0, mostRead),
    set,
    clear: () => set("", 0),
  };
};
