/** True for 127.0.0.0/8 and ::1. */
export const isLoopbackAddress = (address: string): boolean =>
  address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);

/** True for addresses and names that only this machine can reach, as a setting or a `Host` header spells them. */
export const isLoopbackHost = (host: string): boolean =>
  host === "localhost" || host === "[::1]" || isLoopbackAddress(host);
