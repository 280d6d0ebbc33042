/** `autoifs token ...`. */
import { observe, openApp } from "../../app.ts";
import { loadConfig } from "../../config.ts";
import type { Role } from "../../client/index.ts";
import { collected } from "../collected.ts";
import type { Call, Command } from "../command.ts";
import { given, oneOf, UsageError } from "../command.ts";
import { table, time } from "../table.ts";

const roles = ["VIEWER", "EDITOR", "ADMIN"] as const;

interface NewToken {
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: Date | undefined;
}

interface MadeToken {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly expiresAt: string | null;
  /** Null where a server that was asked twice has shown it before. */
  readonly secret: string | null;
}

export const tokenCommands: readonly Command[] = [
  {
    name: "token create",
    takes: [],
    summary: "Give a token; its secret is shown this once",
    details:
      "With --url, --token or their variables the server is asked. Without them the token is written into the data folder on this machine (AUTOIFS_DATA), whether or not a server runs: the way to the first one. From then on nobody gets in without a token, so let the first be an ADMIN.",
    options: {
      name: { value: "<name>", text: "Whom or what it is for; required." },
      role: { value: "<role>", text: "VIEWER, EDITOR or ADMIN; required." },
      expires: { value: "<time>", text: "When it ends, for example 2027-01-31 or 2027-01-31T18:00Z; default: never." },
    },
    example: "token create --name maria --role ADMIN",
    async run(call) {
      const { name, expires } = call.options;
      const role = oneOf(call, "role", roles);
      if (name === undefined || role === undefined) throw new UsageError("token create: expected --name and --role");
      const expiresAt = expires === undefined ? undefined : new Date(expires);
      if (expiresAt && Number.isNaN(expiresAt.getTime())) {
        throw new UsageError(`--expires: expected a time such as 2027-01-31, got "${expires}"`);
      }
      const make = call.isServerNamed ? askedFor : written;
      const made = await make(call, { name, role, expiresAt });
      const until = made.expiresAt === null ? "" : ` until ${time(made.expiresAt)}`;
      const text = `${made.id}: ${made.role} for ${made.name}${until}. The secret, shown this once:\n\n  ${made.secret}\n`;
      return { json: made, text };
    },
  },
  {
    name: "token list",
    takes: [],
    summary: "List all tokens, newest first",
    example: "token list",
    async run({ client }) {
      const tokens = await collected(client().pages("tokens", { first: 100 }));
      const rows = tokens.map((one) => [
        one.id,
        one.name,
        one.role,
        one.revokedAt ? "revoked" : one.expiresAt && Date.parse(one.expiresAt) <= Date.now() ? "expired" : "valid",
        time(one.expiresAt),
        time(one.lastUsedAt),
      ]);
      const header = ["id", "name", "role", "state", "expires", "last used"];
      return { json: tokens, text: table(header, rows, "There are no tokens.") };
    },
  },
  {
    name: "token revoke",
    takes: ["<token>"],
    summary: "Take a token back",
    example: "token revoke tok_0123456789abcdef",
    async run({ client, args }) {
      const { token } = await client().revokeToken({ input: { token: args["token"]! } });
      return { json: token, text: `${token.id} (${token.name}) is revoked\n` };
    },
  },
];

async function askedFor({ client }: Call, { expiresAt, ...input }: NewToken): Promise<MadeToken> {
  const expires = given({ expiresAt: expiresAt?.toISOString() });
  const { token, secret } = await client().createToken({ input: { ...input, ...expires } });
  return { id: token.id, name: token.name, role: token.role, expiresAt: token.expiresAt, secret };
}

async function written({ env }: Call, { expiresAt, ...input }: NewToken): Promise<MadeToken> {
  const config = loadConfig(env);
  const observation = await observe("server", { ...config, logLevel: "error" });
  const app = await openApp(config, observation);
  try {
    const { token, secret } = await app.createToken({ ...input, ...given({ expiresAt }) });
    return {
      id: token.id,
      name: token.name,
      role: token.role,
      expiresAt: token.expiresAt?.toISOString() ?? null,
      secret,
    };
  } finally {
    await app.close();
    await observation.close();
  }
}
