/** Far more than any script puts on one letter. */
const longRun = /(\p{M}{32})\p{M}+/gu;

/**
 * The text without the marks that nobody could read: a browser that is to set half a million of them on one
 * letter stands still for minutes. What it gives for a text begins with what it gives for the text's beginning.
 */
export const withFewMarks = (text: string): string => text.replace(longRun, "$1");
