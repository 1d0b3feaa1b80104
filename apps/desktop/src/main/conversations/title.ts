/** What a conversation is called before anything was said in it. */
export const untitled = "New conversation";

const longest = 60;

/** The first words of a message, on one line and without Markdown's signs; at most 60 characters. */
export const titleOf = (text: string): string => {
  const words = text
    .slice(0, 2000)
    .replace(/^[#>\s]+/gm, " ")
    .replace(/\*\*|`+/g, "")
    .trim()
    .split(/\s+/);
  const characters = [...words.join(" ")];
  if (characters.length === 0) {
    return untitled;
  }
  if (characters.length <= longest) {
    return characters.join("");
  }
  const cut = characters.slice(0, longest).join("");
  const lastSpace = cut.lastIndexOf(" ");
  return `${(lastSpace > longest / 2 ? cut.slice(0, lastSpace) : cut).trimEnd()}…`;
};
