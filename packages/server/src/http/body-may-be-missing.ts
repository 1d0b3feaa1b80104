import type { FastifyRequest } from "fastify";

/** For a body with nothing but optional fields: none at all says the same as `{}`. Runs before validation. */
export const bodyMayBeMissing = async (request: FastifyRequest): Promise<void> => {
  request.body ??= {};
};
