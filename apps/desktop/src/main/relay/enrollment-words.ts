/** The relay speaks to programs of a field `enrollment_code`; people have a code in their hand. */
export const codeWords = (message: string): string => {
  const [, problem] =
    /^enrollment_code is (required|unknown|expired|used up|revoked)\b/.exec(message) ?? [];
  switch (problem) {
    case undefined:
      return message;
    case "required":
      return "This relay lets a device in with an enrollment code. Ask its operator for one, then sign in with it.";
    case "unknown":
      return "The relay does not know this enrollment code. Check it, or ask the relay's operator for a new one.";
    default:
      return `This enrollment code is ${problem}. Ask the relay's operator for a new one.`;
  }
};

/** Whether no code was given yet: an ordinary first step, and nothing that went wrong. */
export const isFirstStep = (message: string): boolean =>
  /^enrollment_code is required\b/.test(message);
