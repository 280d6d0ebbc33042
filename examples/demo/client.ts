/** A GraphQL client of one function: what a caller of the service needs, and no more. */

export type Query = <Data>(document: string, variables?: Readonly<Record<string, unknown>>) => Promise<Data>;

/** Sends operations to `<url>/graphql`; an answer with errors is thrown. */
export function graphqlClient(url: string): Query {
  return async <Data>(query: string, variables: Readonly<Record<string, unknown>> = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: Data; errors?: readonly { message: string }[] };
    if (errors) throw new Error(errors.map(({ message }) => message).join("\n"));
    return data;
  };
}
