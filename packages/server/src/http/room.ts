import type { FastifyInstance, FastifyPluginCallback } from "fastify";

/** A scope of its own: what is added in it (hooks, body parsers) holds only there. */
export const room =
  (furnish: (scope: FastifyInstance) => void): FastifyPluginCallback =>
  (scope, _options, done) => {
    furnish(scope);
    done();
  };
