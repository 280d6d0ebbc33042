import { describe, expect, it } from "vitest";
import { createGate } from "../../../src/services/access/gate.ts";
import type { ApiToken } from "../../../src/store/tokens.ts";

type Tokens = Parameters<typeof createGate>[0]["tokens"];

const token = { id: "tok_1", name: "ops", role: "ADMIN", revokedAt: null, expiresAt: null } as ApiToken;

/** A table of tokens of which each look takes until it is answered. */
function slowTokens() {
  const looks: ((token: ApiToken) => void)[] = [];
  const tokens = {
    exist: async () => true,
    bySecretHash: () => new Promise<ApiToken>((resolve) => looks.push(resolve)),
    markUsed: async () => undefined,
  } as unknown as Tokens;
  return { tokens, looks };
}

describe("the gate", () => {
  it("asks once for a token it knows", async () => {
    const { tokens, looks } = slowTokens();
    const gate = await createGate({ tokens });
    const first = gate.identify("Bearer secret");
    looks[0]!(token);
    expect(await first).toEqual({ id: "tok_1", name: "ops", role: "ADMIN" });
    expect(await gate.identify("Bearer secret")).not.toBeNull();
    expect(looks).toHaveLength(1);
  });

  it("does not remember what it read before a token was revoked", async () => {
    const { tokens, looks } = slowTokens();
    const gate = await createGate({ tokens });
    const before = gate.identify("Bearer secret");
    await gate.refresh();
    looks[0]!(token);
    await before;
    const after = gate.identify("Bearer secret");
    looks[1]!({ ...token, revokedAt: new Date() });
    expect(await after).toBeNull();
  });

  it("is not opened again by a look that began before there was a token", async () => {
    const looks: ((exist: boolean) => void)[] = [];
    const exist = () => new Promise<boolean>((resolve) => looks.push(resolve));
    const creating = createGate({ tokens: { ...slowTokens().tokens, exist } });
    looks[0]!(false);
    const gate = await creating;
    const [early, late] = [gate.refresh(), gate.refresh()];
    looks[2]!(true);
    await late;
    looks[1]!(false);
    await early;
    expect(gate.isOpen()).toBe(false);
  });
});
