import { randomBytes } from "node:crypto";

/** Makes ids like the API's: unique here by counting, among processes by a random part. */
export const createIds = (random: string = randomBytes(6).toString("hex")) => {
  let count = 0;
  return (prefix: string): string => {
    count += 1;
    return `${prefix}_01${random}${count.toString(36).padStart(10, "0")}`;
  };
};
