/** Lists of datasets, filtered and ordered. */
import type { Prisma } from "./client/client.ts";
import type { Combined, Conditions } from "./filters.ts";
import { containing, whereOf } from "./filters.ts";
import type { OrderColumn, OrderDirection, Page, PageRequest } from "./page.ts";
import { byId, orderedPage, orderedQuery } from "./page.ts";
import type { Dataset, DatasetStatus } from "./rows.ts";
import { datasetOf } from "./rows.ts";
import { tagWhere } from "./runFilter.ts";
import type { TagFilter } from "./runFilter.ts";
import type { Database } from "./sqlite.ts";

type Maybe<Value> = Value | null | undefined;

export interface DatasetFilter extends Combined<DatasetFilter> {
  readonly status?: Maybe<DatasetStatus>;
  readonly statuses?: Maybe<readonly DatasetStatus[]>;
  readonly name?: Maybe<string>;
  /** This time or later. */
  readonly createdAfter?: Maybe<Date>;
  readonly createdBefore?: Maybe<Date>;
  readonly tag?: Maybe<TagFilter>;
  /** Of the note. */
  readonly text?: Maybe<string>;
}

export interface DatasetOrder {
  readonly field: "CREATED_AT" | "NAME";
  readonly direction: OrderDirection;
}

export interface DatasetList extends DatasetFilter {
  /** Default: newest first. */
  readonly orderBy?: DatasetOrder;
}

type Where = Prisma.DatasetWhereInput;

const newestFirst: DatasetOrder = { field: "CREATED_AT", direction: "DESC" };
const columns: { readonly [Field in DatasetOrder["field"]]: OrderColumn | typeof byId } = {
  CREATED_AT: byId,
  NAME: { column: "name", type: "text" },
};

export function datasetLists(database: Database) {
  return {
    /** Throws InvalidInputError where the filter cannot be. */
    async list({
      first,
      after,
      value,
      orderBy = newestFirst,
      ...filter
    }: PageRequest & DatasetList): Promise<Page<Dataset>> {
      const [page, column] = [{ first, after, value }, columns[orderBy.field]];
      const query = orderedQuery<Where>(page, column, orderBy.direction);
      const where = { AND: [datasetWhere(filter), query.where] };
      return orderedPage(await database.dataset.findMany({ ...query, where }), page, column, datasetOf);
    },

    /** Of all pages. */
    async count(list: DatasetList): Promise<number> {
      const { orderBy: _, ...filter } = list;
      return database.dataset.count({ where: datasetWhere(filter) });
    },
  };
}

const datasetWhere = (filter: DatasetFilter): Where => whereOf<DatasetFilter, Where>(filter, conditions);

const conditions: Conditions<DatasetFilter, Where> = {
  status: (status) => ({ status }),
  statuses: (statuses) => ({ status: { in: [...statuses] } }),
  name: (name) => ({ name }),
  createdAfter: (gte) => ({ createdAt: { gte } }),
  createdBefore: (lt) => ({ createdAt: { lt } }),
  tag: (tag) => ({ tags: tagWhere(tag) }),
  text: (text, field) => ({ note: containing(text, field) }),
};
