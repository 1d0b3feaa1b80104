/** The relay speaks to programs of a field `enrollment_code`; people have a code in their hand. */
export const codeWords = (message: string): string => {
  const [, problem] =
    /^enrollment_code is (required|unknown|expired|used up|revoked)\b/.exec(message) ?? [];
  switch (problem) {
    case undefined:
      return message;
    case "required":
      return "This relay lets a device in with an enrollment code. Ask its operator for one, and enter it here.";
    case "unknown":
      return "The relay does not know this enrollment code. Check it, or ask the relay's operator for a new one.";
    default:
      return `This enrollment code is ${problem}. Ask the relay's operator for a new one.`;
  }
};
