import { menuTables } from "./menu-tables.ts";

const fetchParameters = [
  "url =address =host =mode =port =src-path =dst-path =src-address =user =password =upload",
  "=ascii =certificate =check-certificate =duration =keep-result =output +as-value",
  "=http-method =http-data =http-header-field =http-auth-scheme =http-content-encoding",
  "=idle-timeout@7.15 =http-percent-encoding@7.16 =http-max-redirect-count@7.18",
].join(" ");

/** The commands under `/`, each with its parameters (see grammar.ts for the notation). */
export function menuSignatures(): [string, string][] {
  const commands: [string, string][] = [
    ["/tool fetch", fetchParameters],
    ["/system script run", "number =use-script-permissions"],
    ["/system reboot", ""],
    ["/log debug", "message"],
    ["/log info", "message"],
    ["/log warning", "message"],
    ["/log error", "message"],
    ["/ip cloud force-update", ""],
  ];
  for (const table of menuTables) {
    const { path, single = false } = table;
    const settable = table.properties.map((property) => `=${property}`).join(" ");
    const every = [...table.properties, ...(table.readOnly ?? [])]
      .map((property) => `=${property.replace('{"}', "")}`)
      .join(" ");
    const printing = "+detail +terse +brief +as-value +count-only +without-paging =file";
    if (single) {
      commands.push([`${path} get`, "value-name"], [`${path} print`, "+as-value +without-paging"]);
      if (settable !== "") {
        commands.push([`${path} set`, settable]);
      }
      continue;
    }
    commands.push([`${path} find`, `${every} ?where`]);
    commands.push([`${path} get`, "number value-name"]);
    commands.push([`${path} print`, `${every} ${printing} ?where`]);
    if (table.fixed !== true) {
      commands.push([`${path} remove`, "numbers"]);
      if (settable !== "") {
        commands.push([`${path} add`, settable], [`${path} set`, `numbers ${settable}`]);
      }
      if (table.properties.includes("disabled")) {
        commands.push([`${path} enable`, "numbers"], [`${path} disable`, "numbers"]);
      }
    }
  }
  return commands;
}
