import { readFileSync } from "node:fs";
import { listPrices, type PriceTable } from "../pipeline/price/price-table.ts";
import { PriceTableFault, parsePriceTable } from "../pipeline/price/price-table-file.ts";
import { Fault } from "./setting.ts";

/**
 * The built-in prices with those of the operator's file in their place.
 * @param path relative to the working directory
 * @throws Fault naming the file and everything that is wrong in it; its content is not quoted, for it may be
 * the wrong file, with secrets in it
 */
export const readPriceTable = (path: string): PriceTable => {
  try {
    return parsePriceTable(parseJson(read(path)), listPrices);
  } catch (error) {
    if (error instanceof Fault) {
      throw new Fault(`(${path}) ${error.message}`);
    }
    if (error instanceof PriceTableFault) {
      throw new Fault(`(${path}) cannot be used: ${error.message} (see docs/pricing.md)`);
    }
    throw error;
  }
};

const read = (path: string): string => {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Fault(`cannot be read: ${reason}: name a JSON file this user may read`);
  }
};

const parseJson = (content: string): unknown => {
  try {
    return JSON.parse(content);
  } catch {
    throw new Fault("cannot be used: it is not valid JSON");
  }
};
