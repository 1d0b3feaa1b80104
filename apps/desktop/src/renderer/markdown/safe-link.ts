/** Where a link of an answer may lead: a whole web or mail address, as the browser would read it. Else null. */
export const safeLink = (href: string): string | null => {
  if (!/^(https?|mailto):/i.test(href) || !URL.canParse(href)) {
    return null;
  }
  const url = new URL(href);
  return url.href.length <= 4096 ? url.href : null;
};
