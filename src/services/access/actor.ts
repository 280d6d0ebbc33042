/** Who asks: the holder of a token, or anybody where none is needed. */
import type { Role } from "../../store/tokens.ts";

export type { Role } from "../../store/tokens.ts";

export interface Actor {
  /** Id of the token; empty where none was needed. */
  readonly id: string;
  readonly name: string;
  readonly role: Role;
}

/** Whoever can reach an installation without tokens. */
export const anybody: Actor = { id: "", name: "anybody", role: "ADMIN" };

/** From least to most; each may do what those before it may. */
export const roles: readonly Role[] = ["VIEWER", "EDITOR", "ADMIN"];

export const mayAct = ({ role }: Pick<Actor, "role">, needed: Role): boolean =>
  roles.indexOf(role) >= roles.indexOf(needed);
