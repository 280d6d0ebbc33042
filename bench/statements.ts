/** The SQL statements that this process runs for requests, one after the other. */
import { statementChannel } from "../src/store/libsqlClient.ts";

/** No request's: the dispatcher of webhooks looks at its tables whenever its time has come, and old served rows are forgotten. */
const unasked = /\b(OutboxEvent|WebhookDelivery|Webhook)\b|DELETE FROM "ServedRow"/;

/** Calls `listener` with each from now on, until what it returns is called. */
export function hearStatements(listener: (sql: string) => void): () => void {
  const hear = (message: unknown): void => {
    const { sql } = message as { readonly sql: string };
    if (!unasked.test(sql)) listener(sql);
  };
  statementChannel.subscribe(hear);
  return () => void statementChannel.unsubscribe(hear);
}
