#!/usr/bin/env node
/** `npm run start:cluster`: as many processes as the machine has cores, unless WORKERS says otherwise. */
process.env["WORKERS"] ||= "auto";
await import("./main.ts");
