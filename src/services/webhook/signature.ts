/** Signs what is sent to webhooks, by the scheme of Standard Webhooks (https://www.standardwebhooks.com), version 1. */
import { createHmac, randomBytes } from "node:crypto";

const prefix = "whsec_";

/** 256 random bits. */
export function newSecret(): string {
  return prefix + randomBytes(32).toString("base64");
}

export interface Signed {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/** The three headers by which a receiver knows who sends, what and when. Each of the secrets signs. */
export function signedHeaders({ id, at, body }: Signed, secrets: readonly string[]): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice(prefix.length), "base64");
    return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
  });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
