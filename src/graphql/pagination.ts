/** Relay connections: the same for every list, over pages the store reads by key. */
import { InvalidInputError } from "../errors.ts";

export interface PageArguments {
  readonly first: number;
  readonly after?: string | null | undefined;
}

export interface Connection<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[];
  readonly nodes: Row[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}
