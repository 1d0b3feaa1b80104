import pino, { type DestinationStream, type Logger } from "pino";
import pretty from "pino-pretty";

type Options = Readonly<{
  level: string;
  /** True on a terminal: coloured lines for people instead of JSON. */
  pretty: boolean;
}>;

/**
 * Structured lines on standard output; pretty ones on a terminal. Lines are gathered for up to
 * 100 ms, for a write a line would cost more than the rest of a request; `flush` empties the buffer.
 */
export const createLogger = (options: Options): { log: Logger; flush: () => void } => {
  if (options.pretty) {
    const stream = pretty({
      colorize: true,
      sync: true,
      singleLine: true,
      ignore: "pid,hostname",
      translateTime: "HH:MM:ss",
    });
    return { log: pino({ level: options.level }, stream), flush: () => {} };
  }
  const destination = pino.destination({
    dest: 1,
    sync: false,
    minLength: 8 * 1024,
    periodicFlush: 100,
  });
  const log = pino({ level: options.level, base: null }, destination as DestinationStream);
  return { log, flush: () => flushQuietly(destination) };
};

const flushQuietly = (destination: { flushSync(): void }): void => {
  try {
    destination.flushSync();
  } catch {
    // Not open yet, or gone with its reader: nothing is left to flush to.
  }
};
