import type { Range } from "./range.ts";

/** Values named in languages that put no space between words: `密码是…`, `パスワード：…`. */
export const unspacedNames = (text: string): readonly Range[] => {
  const ranges: Range[] = [];
  for (const found of text.matchAll(named)) {
    const start = found.index + found[0].length;
    const [value] = rest.exec(text.slice(start, start + longest)) ?? [""];
    if (value !== "") {
      ranges.push({ start, end: start + value.length });
    }
  }
  return ranges;
};

const named =
  /(?:密码|密碼|口令|密钥|密鑰|パスワード|비밀번호|암호)(?:是|为|為|改为|改為|改成|设为|設為|设置为|は|を|는|은|를)?["'”」]?\s{0,4}(?:[:=：＝]|->|=>|→)?\s{0,4}/g;
const longest = 256;
const rest = /^(?:"[^"\n]*"?|'[^'\n]*'?|「[^」\n]*」?|“[^”\n]*”?|[\x21-\x7e]+)/;
