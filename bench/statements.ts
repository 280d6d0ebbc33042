/** The SQL statements that this process runs for requests, one after the other. */
import { statementChannel } from "../src/store/libsqlClient.ts";

/** The dispatcher of webhooks looks at these by itself, whenever its time has come. */
const dispatched = /\b(OutboxEvent|WebhookDelivery|Webhook)\b/;

/** Calls `listener` with each from now on, until what it returns is called. */
export function hearStatements(listener: (sql: string) => void): () => void {
  const hear = (message: unknown): void => {
    const { sql } = message as { readonly sql: string };
    if (!dispatched.test(sql)) listener(sql);
  };
  statementChannel.subscribe(hear);
  return () => void statementChannel.unsubscribe(hear);
}
