/** The stretches of a text that are about SNMP's communities, whose names are their passwords. */
export class SnmpCommunities {
  /** Start and end in turn, ascending. */
  readonly #stretches: readonly Readonly<{ start: number; end: number }>[];
  #next = 0;

  constructor(text: string) {
    const stretches = [];
    let end = 0;
    for (const found of text.matchAll(menu)) {
      if (found.index < end) {
        continue;
      }
      // An export names the menu once and goes on below it, up to the next menu.
      const path = /[\r\n][ \t]{0,8}\//g;
      path.lastIndex = found.index;
      end = path.exec(text)?.index ?? text.length;
      stretches.push({ start: found.index, end });
    }
    this.#stretches = stretches;
  }

  /** @param at never less than when last asked */
  has(at: number): boolean {
    while ((this.#stretches[this.#next]?.end ?? Number.POSITIVE_INFINITY) <= at) {
      this.#next += 1;
    }
    return (this.#stretches[this.#next]?.start ?? Number.POSITIVE_INFINITY) <= at;
  }
}

const menu = /snmp[ \t/]{1,8}com[a-z]*/gi;
