/** Turns the database's "unique constraint failed" into the conflict it means. */
import type { ProductError } from "../errors.ts";
import { Prisma } from "./client/client.ts";

/** The result of `write`; throws `conflict` where a row with the same unique columns stands already. */
export async function orConflict<T>(write: Promise<T>, conflict: () => ProductError): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === "P2002") throw conflict();
    throw error;
  }
}
