/**
 * The commands that belong to no menu. A line is `name kind positionals named…`: how many values without a name,
 * and which names, it takes. Anything else in one is refused, since it might be the start of another command.
 * `{}` after a name, or `{1}` after the number, tells what the router runs: that value, or those from the second on.
 */
const commandTable = `
put read 1 message
len read 1 value
typeof read 1 value
tostr read 1 value
tonum read 1 value
tobool read 1 value
toid read 1 value
toip read 1 value
toip6 read 1 value
totime read 1 value
toarray read 1 value
tonsec read 1 value
tocrlf read 1 value
tolf read 1 value
pick read 3 counter begin end
find read 3 in key from
range read 3 from to step
convert read 1 value from to transform options
serialize read 1 value to options delimiter order
deserialize read 1 value from options delimiter
timestamp read 0 use-tz
rndnum read 0 from to
rndstr read 0 from length
jobname read 0
nothing read 0
time read 1{0} command{}
error read 1 message
return read 1 value
continue read 0
break read 0
exit read 0
local read 2 do{}
if read 1 condition do{} else{}
foreach read 1 in do{} counter
for read 1 from to step do{} counter
do read 1{0} while on-error{} command{}
onerror read 2{1} in{} do{}
resolve read 1 domain-name type
ping read 1 address count size src-address interface vrf ttl routing-table do-not-fragment arp-ping dscp interval
delay read 1 delay-time
set write 2
global write 2 do{}
while write 1 condition do{}
retry write 0 command{} delay max on-error{}
log write 2 message
beep write 0 frequency length as-value
grep write 2{1} pattern script{} before after
execute forbidden 1 script file as-string
parse forbidden 1 value
import forbidden 1
environment forbidden 1
terminal forbidden 1
export forbidden 1
password forbidden 0
quit forbidden 0
redo forbidden 0
undo forbidden 0
setup forbidden 0
blink forbidden 0
`;

export type GlobalRule = Readonly<{
  name: string;
  kind: "read" | "write" | "forbidden";
  positionals: number;
  named: ReadonlySet<string>;
  /** The names whose values the router runs as commands. */
  code: ReadonlySet<string>;
  /** The first value without a name that the router runs. */
  codeFrom: number;
}>;

const ruleIn = (line: string): GlobalRule => {
  const [name = "", kind = "", positionals = "0", ...marked] = line.split(" ");
  if (kind !== "read" && kind !== "write" && kind !== "forbidden") {
    throw new Error(`command table: ${line}`);
  }
  const [count, from] = positionals.split(/[{}]/);
  const named = marked.map((each) => each.replace("{}", ""));
  return {
    name,
    kind,
    positionals: Number(count),
    named: new Set(named),
    code: new Set(named.filter((each) => marked.includes(`${each}{}`))),
    codeFrom: from === undefined ? Number.POSITIVE_INFINITY : Number(from),
  };
};

export const globals: ReadonlyMap<string, GlobalRule> = new Map(
  commandTable
    .trim()
    .split("\n")
    .map(ruleIn)
    .map((rule) => [rule.name, rule]),
);

/** Reads a name after `:` as the console does: whole, or as the beginning of exactly one. */
export const lookUpGlobal = (word: string): GlobalRule | null => {
  const exact = globals.get(word);
  if (exact !== undefined) {
    return exact;
  }
  const [only, second] = [...globals.keys()].filter((name) => name.startsWith(word));
  if (only === undefined || second !== undefined) {
    return null;
  }
  return globals.get(only) ?? null;
};
