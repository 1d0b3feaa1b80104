import type { TestContext } from "node:test";
import { RedisServer } from "../../../../../../test/harness/redis.ts";
import type { RedisAdmissionOptions } from "../redis-admission.ts";
import { instanceOptions, TestInstance, TestLedger } from "../test-setup.ts";

type Rig = Readonly<{
  server: RedisServer;
  ledger: TestLedger;
  connect: (options?: Partial<RedisAdmissionOptions>) => Promise<TestInstance>;
}>;

/** A Redis of the test's own and instances over one ledger. */
export const rig = async (t: TestContext, ...serverOptions: readonly string[]): Promise<Rig> => {
  const server = new RedisServer();
  const ledger = new TestLedger();
  const connected: TestInstance[] = [];
  t.after(async () => {
    server.resume();
    await Promise.all(connected.map(({ admission }) => admission.close()));
    await server.remove();
  });
  await server.start(...serverOptions);
  const connect = async (options: Partial<RedisAdmissionOptions> = {}) => {
    const instance = new TestInstance(ledger, instanceOptions(server.url, ledger, options));
    connected.push(instance);
    await instance.admission.whenUp();
    return instance;
  };
  return { server, ledger, connect };
};
