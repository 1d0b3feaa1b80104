#!/usr/bin/env node
/** Says what a relay started in this folder would use, and what is missing. Changes nothing, asks nobody outside. */
import { readSources } from "./config/sources.ts";
import { diagnose } from "./doctor.ts";

const sources = readSources(process.env, process.cwd());
const { lines, healthy } = await diagnose(sources);
process.stdout.write(`${lines.join("\n")}\n`);
process.exitCode = healthy ? 0 : 1;
