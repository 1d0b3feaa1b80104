/** What an operator gives: an address, or a link with the enrollment code behind `#code=`. */
export type Given = Readonly<{ address: string; code: string | null }>;

/** Reads what was typed or pasted as the relay's address. An address without a scheme gets one. */
export const readAddress = (text: string): Given => {
  const [before = "", fragment = ""] = text.trim().split("#", 2);
  const code = new URLSearchParams(fragment).get("code")?.trim() ?? "";
  return { address: withScheme(before.replace(/\/+$/, "")), code: code === "" ? null : code };
};

/** Whether a text holds an enrollment code besides the address. */
export const isEnrollmentLink = (text: string): boolean =>
  /^https?:\/\//i.test(text.trim()) && readAddress(text).code !== null;

const withScheme = (address: string): string => {
  if (address === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(address)) {
    return address;
  }
  // Only this machine is spoken to without TLS unasked.
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])(:|\/|$)/i.test(address);
  return `${isHere ? "http" : "https"}://${address}`;
};
