import { maxPageUrlLength } from "@claude-relay/contract";

/** Beyond what any returned text can hold (`pageBytes.max`), with room for links that are not in it. */
const maxAllLinks = 8 * 1024 * 1024;

/**
 * Makes a page's links absolute. Each may be as long as its base, so one page could name gigabytes: none may be
 * longer than a page's address, and all together no longer than the text that is made of them could hold.
 */
export class Links {
  readonly #base: string;
  #left = maxAllLinks;

  /** @param base what the page says its links are relative to; null when it says nothing */
  constructor(base: string | null, pageUrl: string) {
    const parsed = base === null ? null : parseShort(base, pageUrl);
    this.#base = parsed === null || parsed.href.length > maxPageUrlLength ? pageUrl : parsed.href;
  }

  /** A link a reader can follow, absolute: no script, no image packed into the page. Otherwise null. */
  resolve(link: string): string | null {
    const url = this.#left === 0 ? null : parseShort(link.trim(), this.#base);
    if (url === null || !/^(?:https?|mailto|tel):$/.test(url.protocol)) {
      return null;
    }
    const { href } = url;
    if (href.length > this.#left) {
      // From here on none: the text shows them in order.
      this.#left = 0;
      return null;
    }
    this.#left -= href.length;
    return href;
  }
}

const parseShort = (link: string, base: string): URL | null =>
  link.length > maxPageUrlLength ? null : URL.parse(link, base);
