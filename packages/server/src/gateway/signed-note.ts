import { createHmac, timingSafeEqual } from "node:crypto";
import type { EpochMs } from "@claude-relay/contract";
import type { Clock } from "../pipeline/types.ts";

/** Notes to ourselves that a browser carries: it can read them, and change nothing. */
export interface SignedNotes<Note extends object> {
  write(note: Note, lifetimeMs: number): string;
  /** Null for what we did not write, or what is over. */
  read(text: string): Note | null;
}

/** `purpose` keeps one kind of note from being taken for another. */
export const createSignedNotes = <Note extends object>(
  key: Buffer,
  purpose: string,
  clock: Pick<Clock, "now">,
): SignedNotes<Note> => {
  const sign = (payload: string): Buffer =>
    createHmac("sha256", key).update(`${purpose}.${payload}`).digest();
  return {
    write: (note, lifetimeMs) => {
      const dated = { note, until: clock.now() + lifetimeMs };
      const payload = Buffer.from(JSON.stringify(dated)).toString("base64url");
      return `${payload}.${sign(payload).toString("base64url")}`;
    },
    read: (text) => {
      const [payload = "", signature = "", ...more] = text.split(".");
      const [expected, given] = [sign(payload), Buffer.from(signature, "base64url")];
      const isOurs = expected.length === given.length && timingSafeEqual(expected, given);
      if (!isOurs || more.length > 0) {
        return null;
      }
      const { note, until } = JSON.parse(Buffer.from(payload, "base64url").toString()) as {
        note: Note;
        until: EpochMs;
      };
      return until > clock.now() ? note : null;
    },
  };
};
