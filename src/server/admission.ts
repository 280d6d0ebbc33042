/**
 * Decides, before an operation runs, whether it may: by the role it needs, by what it costs, and by what its token has left.
 * The same for HTTP, WebSocket and server-sent events.
 */
import type { DocumentNode, GraphQLSchema, OperationDefinitionNode } from "graphql";
import type { Asked } from "../context.ts";
import { isDeeper } from "../graphql/depth.ts";
import { createInspector } from "../graphql/inspect.ts";
import type { Variables } from "../graphql/inspect.ts";
import { createPageLimits } from "../graphql/pageLimits.ts";
import type { TakePoints } from "./points.ts";
import { Refusal } from "./refusal.ts";
import { assertMay } from "./visitors.ts";

/** Objects and lists inside each other: what goes through variables, as GraphQL itself does, must not run out of stack. */
const deepestVariables = 200;
/** Fields inside each other; the introspection of GraphiQL has 15. */
const depthLimit = 20;
const aliasLimit = 100;
/** Words and signs of a document; what the parser allows. */
export const tokenLimit = 5000;

export interface Limits {
  /** Objects an operation may ask for. */
  readonly costLimit: number;
  /** From what a token has a minute. */
  readonly takePoints: TakePoints;
}

export interface Operation {
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Variables;
}

export interface Admitted {
  /** In objects, for `extensions`. */
  readonly cost: { readonly requested: number; readonly limit: number };
  /** For the answer, where there are any. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws Refusal. */
export type Admit = (operation: Operation, asked: Asked) => Admitted;

export function createAdmission(schema: GraphQLSchema, { costLimit, takePoints }: Limits): Admit {
  const inspect = createInspector(schema);
  const pageErrors = createPageLimits(schema);

  return ({ document, operation, variables }, { actor }) => {
    if (isDeeper(variables, deepestVariables)) throw tooDeep();
    const { depth, aliases, role, cost } = inspect(document, operation);
    const requested = cost(variables);
    assertMay({ actor }, role);
    assertBelow("depth", depth, depthLimit, "fields inside each other");
    assertBelow("aliases", aliases, aliasLimit, "aliases");
    const [outside] = pageErrors(document, operation, variables);
    if (outside) {
      const { message, path, extensions } = outside;
      throw new Refusal(400, message, "INVALID_INPUT", { extensions: { ...extensions, path } });
    }
    assertBelow("cost", requested, costLimit, "objects");
    const headers = takePoints(actor, Math.max(1, requested));
    return { cost: { requested, limit: costLimit }, headers };
  };
}

function tooDeep(): Refusal {
  const message = `variables: expected at most ${deepestVariables} objects and lists inside each other, got more`;
  return new Refusal(400, message, "TOO_COMPLEX", { extensions: { limit: "variables", expected: deepestVariables } });
}

function assertBelow(limit: string, requested: number, most: number, of: string): void {
  if (requested <= most) return;
  const message = `${limit}: expected at most ${most} ${of}, but the operation asks for ${requested}`;
  throw new Refusal(400, message, "TOO_COMPLEX", { extensions: { limit, expected: most, received: requested } });
}
