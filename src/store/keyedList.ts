/** Lists of scenarios, of tasks and of models, which are alike: things with a key. */
import type { Combined, Conditions } from "./filters.ts";
import { containing, whereOf } from "./filters.ts";
import type { OrderColumn, OrderDirection, Page, PageRequest } from "./page.ts";
import { byId, orderedPage, orderedQuery } from "./page.ts";
import type { Prisma } from "./client/client.ts";

export interface KeyedFilter extends Combined<KeyedFilter> {
  readonly key?: string | null | undefined;
  readonly keys?: readonly string[] | null | undefined;
  /** Of key, name or description. */
  readonly text?: string | null | undefined;
}

export interface KeyedOrder {
  readonly field: "CREATED_AT" | "KEY";
  readonly direction: OrderDirection;
}

export interface KeyedList extends KeyedFilter {
  /** Default: in the order of registration. */
  readonly orderBy?: KeyedOrder;
}

/** All these tables have these columns. */
type Where = Prisma.ScenarioWhereInput & Prisma.TaskWhereInput & Prisma.ModelWhereInput;

/** What of Prisma's table is used here. */
interface Table<Row> {
  findMany(query: { where: Where; orderBy: Record<string, "asc" | "desc">[]; take: number }): PromiseLike<Row[]>;
  count(query: { where: Where }): PromiseLike<number>;
}

const inOrder: KeyedOrder = { field: "CREATED_AT", direction: "ASC" };
const columns: { readonly [Field in KeyedOrder["field"]]: OrderColumn | typeof byId } = {
  CREATED_AT: byId,
  KEY: { column: "key", type: "text" },
};

export function keyedLists<Row>(table: Table<Row>) {
  return {
    /** Throws InvalidInputError where the filter cannot be. */
    async list({ first, after, value, orderBy = inOrder, ...filter }: PageRequest & KeyedList): Promise<Page<Row>> {
      const [page, column] = [{ first, after, value }, columns[orderBy.field]];
      const query = orderedQuery<Where>(page, column, orderBy.direction);
      const where = { AND: [keyedWhere(filter), query.where] } as Where;
      return orderedPage(await table.findMany({ ...query, where }), page, column, (row) => row);
    },

    /** Of all pages. */
    async count(list: KeyedList): Promise<number> {
      const { orderBy: _, ...filter } = list;
      return table.count({ where: keyedWhere(filter) });
    },
  };
}

const keyedWhere = (filter: KeyedFilter): Where => whereOf<KeyedFilter, Where>(filter, conditions);

const conditions: Conditions<KeyedFilter, Where> = {
  key: (key) => ({ key }),
  keys: (keys) => ({ key: { in: [...keys] } }),
  text: (text, field) => {
    const holds = containing(text, field);
    return { OR: [{ key: holds }, { name: holds }, { description: holds }] };
  },
};
