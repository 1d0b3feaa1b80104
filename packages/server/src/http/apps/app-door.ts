import type { RequestId } from "@claude-relay/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from "fastify";
import type { Log } from "../../pipeline/log.ts";
import type { Clock } from "../../pipeline/types.ts";
import { asRefusal, writeRefusal } from "../error-reply.ts";
import { newRequestId } from "../request-id.ts";

type AppDoorDeps = Readonly<{ clock: Clock; log: Log }>;

/** One request that a door has taken over from Fastify. */
export type Taken = Readonly<{
  id: RequestId;
  raw: FastifyRequest["raw"];
  res: FastifyReply["raw"];
}>;

/**
 * Offers a route for apps. The request is taken over in the first hook, as at the Messages door: the body is
 * read only once the caller is known. What is thrown is answered in the app doors' one error shape.
 */
export const offerToApps = (
  app: FastifyInstance,
  url: string,
  schema: FastifySchema,
  { clock, log }: AppDoorDeps,
  walk: (taken: Taken) => Promise<void>,
): void => {
  const takeOver = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const id = newRequestId(clock.now());
    try {
      await walk({ id, raw: request.raw, res: reply.raw });
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code === "internal") {
        log.error({ requestId: id, error: String(error) }, "The relay failed");
      } else {
        log.info({ requestId: id, code: refusal.code, path: url }, "Request refused");
      }
      writeRefusal(reply.raw, refusal, id);
    }
  };
  app.route({
    method: "POST",
    url,
    exposeHeadRoute: false,
    schema,
    onRequest: (request, reply) => {
      reply.hijack();
      void takeOver(request, reply);
    },
    handler: () => {
      throw new Error("the hook before this handler takes every request over");
    },
  });
};
