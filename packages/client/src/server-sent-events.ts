/** One event of a stream. https://html.spec.whatwg.org/multipage/server-sent-events.html */
export type ServerSentEvent = Readonly<{ event: string; data: string }>;

/**
 * Reads events out of text in any pieces: call it with each, and get the events that became whole.
 * An event without its closing empty line never comes out.
 */
export const createEventReader = (): ((piece: string) => ServerSentEvent[]) => {
  let rest: string[] = [];
  let heldReturn = "";
  let event = "";
  let data: string[] = [];

  const read = (line: string): ServerSentEvent | undefined => {
    if (line === "") {
      const whole =
        data.length > 0 ? { event: event || "message", data: data.join("\n") } : undefined;
      event = "";
      data = [];
      return whole;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") {
      event = value;
    } else if (field === "data") {
      data.push(value);
    }
    return undefined;
  };

  return (piece) => {
    // A carriage return at the very end may be half of a line break: it waits for what follows.
    const text = heldReturn + piece;
    heldReturn = text.endsWith("\r") ? "\r" : "";
    const lines = text.slice(0, text.length - heldReturn.length).split(/\r\n|\r|\n/);
    const last = lines.pop() ?? "";
    const events: ServerSentEvent[] = [];
    for (const line of lines) {
      const whole = read(rest.join("") + line);
      rest = [];
      if (whole !== undefined) {
        events.push(whole);
      }
    }
    // Kept in pieces: a line of megabytes in small pieces must not be copied with each.
    rest.push(last);
    return events;
  };
};
