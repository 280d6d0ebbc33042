/** Gives tokens, and takes them back. */
import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { ApiToken } from "../../store/tokens.ts";
import type { Installation } from "../installation.ts";
import { parseInput, refusal, withoutNulls } from "../parseInput.ts";
import { withField } from "../withField.ts";
import { roles } from "./actor.ts";

const tokenInput = z.strictObject({
  name: z.string().trim().min(1).max(200),
  role: z.enum(roles),
  expiresAt: z.date().optional(),
});

export interface NewApiToken {
  readonly token: ApiToken;
  /** To be shown to whoever asked, and kept nowhere: 256 random bits behind a prefix by which scanners know it. */
  readonly secret: string;
}

/** Throws InvalidInputError. */
export async function createToken({ store }: Pick<Installation, "store">, input: unknown): Promise<NewApiToken> {
  const { name, role, expiresAt } = parseInput(tokenInput, withoutNulls(input), "input");
  if (expiresAt && expiresAt <= new Date()) {
    throw refusal("input.expiresAt", "a time to come", expiresAt.toISOString());
  }
  const secret = `autoifs_${randomBytes(32).toString("base64url")}`;
  const token = await store.tokens.create({
    name,
    role,
    secretHash: hashOf(secret),
    ...(expiresAt ? { expiresAt } : {}),
  });
  return { token, secret };
}

/** From the next request on nobody gets in with it. Throws NotFoundError. */
export async function revokeToken({ store }: Pick<Installation, "store">, input: unknown): Promise<ApiToken> {
  const { token } = parseInput(z.strictObject({ token: z.string() }), input, "input");
  return withField({ id: "input.token" }, () => store.tokens.revoke(token));
}

/** Of 256 random bits: nothing slower than this is needed. */
export function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}
