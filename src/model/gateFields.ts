/**
 * Hard gates of rows come from the search's end and stay as they are, while the weights are trained anew. So what the gate
 * network reads is kept twice: the embeddings as "gateEmbedding", the parameters of the fields as "gateFields/...".
 */

/** Where the parameters of fields are. */
export type FieldGroup = "fields" | "gateFields";

/** The parameters of fields among others, under the names that the gate network's have. */
export function asGateFields<T>(ofModel: Readonly<Record<string, T>>): Record<string, T> {
  const own = Object.entries(ofModel).filter(([name]) => name.startsWith("fields/"));
  return Object.fromEntries(own.map(([name, value]) => [name.replace(/^fields/, "gateFields"), value]));
}

/** Those of the gate network among others. */
export function gateFieldsOf<T>(ofModel: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(ofModel).filter(([name]) => name.startsWith("gateFields/")));
}
