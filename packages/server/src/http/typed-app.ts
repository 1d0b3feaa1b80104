import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";

/** Fastify whose handlers get the types their route's schemas say. */
export const typedApp = (server: FastifyInstance) => server.withTypeProvider<TypeBoxTypeProvider>();

export type TypedApp = ReturnType<typeof typedApp>;
