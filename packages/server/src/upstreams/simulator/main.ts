/** The simulator on its own: `npm run simulator`, then point any Anthropic client at the address it prints. */
import { scenarios } from "./scenario.ts";
import { createSimulator } from "./server.ts";

const port = Number(process.env["SIMULATOR_PORT"] || 3002);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error("SIMULATOR_PORT: must be a port, 0 to 65535; leave it out for 3002");
  process.exit(1);
}

const simulator = createSimulator();

const stop = (): void => {
  void simulator.close().then(() => process.exit(0));
};
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

const guide = (address: string): string => `
The simulator of the Anthropic Messages API listens on ${address}
It is not Claude: answers say so, and echo what was said.

  ANTHROPIC_BASE_URL=${address} ANTHROPIC_API_KEY=any-key claude -p "Hello"

A prompt with \`use tool NAME {"some": "input"}\` is answered with that tool's use.
Scenarios, in the header x-simulator-scenario (comma-separated) or as the model (claude-sim-429:1+gzip):

${Object.values(scenarios)
  .map(({ usage, does }) => `  ${usage.padEnd(24)} ${does}`)
  .join("\n")}
  ${"first-n:2:529".padEnd(24)} only the first so many requests get what follows
`;

simulator.listen(port).then(
  (address) => console.log(guide(address)),
  (error: Error) => {
    console.error(
      `Cannot listen on port ${port}: ${error.message}. Choose another SIMULATOR_PORT.`,
    );
    process.exit(1);
  },
);
