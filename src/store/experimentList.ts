/** Lists of experiments, filtered and ordered, and the pages of trials that each of many experiments has. */
import { Prisma } from "./client/client.ts";
import type { TrialModel } from "./client/models.ts";
import type { Combined, Conditions } from "./filters.ts";
import { containing, whereOf } from "./filters.ts";
import type { OrderColumn, OrderDirection, Page, PageRequest } from "./page.ts";
import { byId, orderedPage, orderedQuery } from "./page.ts";
import type { Experiment, ExperimentState, Trial, TrialState } from "./rows.ts";
import { experimentOf, trialOf } from "./rows.ts";
import type { Database } from "./sqlite.ts";

type Maybe<Value> = Value | null | undefined;

export interface ExperimentFilter extends Combined<ExperimentFilter> {
  readonly state?: Maybe<ExperimentState>;
  readonly states?: Maybe<readonly ExperimentState[]>;
  readonly name?: Maybe<string>;
  /** This time or later. */
  readonly createdAfter?: Maybe<Date>;
  readonly createdBefore?: Maybe<Date>;
  /** Of the name. */
  readonly text?: Maybe<string>;
}

export interface ExperimentOrder {
  readonly field: "CREATED_AT" | "NAME";
  readonly direction: OrderDirection;
}

export interface ExperimentList extends ExperimentFilter {
  /** Default: newest first. */
  readonly orderBy?: ExperimentOrder;
}

export interface TrialPageRequest extends PageRequest {
  /** Default: all. */
  readonly state?: TrialState;
}

/** Trials of an experiment in one state. */
export interface TrialCount {
  readonly experimentId: string;
  readonly state: TrialState;
  readonly count: number;
}

type Where = Prisma.ExperimentWhereInput;

const newestFirst: ExperimentOrder = { field: "CREATED_AT", direction: "DESC" };
const columns: { readonly [Field in ExperimentOrder["field"]]: OrderColumn | typeof byId } = {
  CREATED_AT: byId,
  NAME: { column: "name", type: "text" },
};

export function experimentLists(database: Database) {
  return {
    /** Throws InvalidInputError where the filter cannot be. */
    async list(request: PageRequest & ExperimentList): Promise<Page<Experiment>> {
      const { first, after, value, orderBy = newestFirst, ...filter } = request;
      const [page, column] = [{ first, after, value }, columns[orderBy.field]];
      const query = orderedQuery<Where>(page, column, orderBy.direction);
      const where = { AND: [experimentWhere(filter), query.where] };
      return orderedPage(await database.experiment.findMany({ ...query, where }), page, column, experimentOf);
    },

    /** Of all pages. */
    async count(list: ExperimentList): Promise<number> {
      const { orderBy: _, ...filter } = list;
      return database.experiment.count({ where: experimentWhere(filter) });
    },

    /**
     * A page of the trials of each experiment, by number; of each up to one trial more than asked for, which tells that
     * there is a next page.
     */
    async trialPagesByExperimentIds(
      experimentIds: readonly string[],
      { first, after, state }: TrialPageRequest,
    ): Promise<Trial[]> {
      if (experimentIds.length === 0) return [];
      const beyond = after === undefined ? Prisma.empty : Prisma.sql`AND own."id" > ${after}`;
      const inState = state === undefined ? Prisma.empty : Prisma.sql`AND own."state" = ${state}`;
      const rows = await database.$queryRaw<TrialModel[]>`
        SELECT trial.* FROM "Experiment" AS experiment JOIN "Trial" AS trial ON trial."id" IN (
          SELECT own."id" FROM "Trial" AS own
          WHERE own."experimentId" = experiment."id" ${inState} ${beyond}
          ORDER BY own."number" LIMIT ${first + 1}
        )
        WHERE experiment."id" IN (${Prisma.join([...experimentIds])})
        ORDER BY trial."id"`;
      return rows.map(trialOf);
    },

    /** Per state; states without trials are left out. */
    async countsByExperimentIds(experimentIds: readonly string[]): Promise<TrialCount[]> {
      const rows = await database.trial.groupBy({
        by: ["experimentId", "state"],
        where: { experimentId: { in: [...experimentIds] } },
        _count: true,
      });
      return rows.map(({ experimentId, state, _count }) => ({
        experimentId,
        state: state as TrialState,
        count: _count,
      }));
    },
  };
}

const experimentWhere = (filter: ExperimentFilter): Where => whereOf<ExperimentFilter, Where>(filter, conditions);

const conditions: Conditions<ExperimentFilter, Where> = {
  state: (state) => ({ state }),
  states: (states) => ({ state: { in: [...states] } }),
  name: (name) => ({ name }),
  createdAfter: (gte) => ({ createdAt: { gte } }),
  createdBefore: (lt) => ({ createdAt: { lt } }),
  text: (text, field) => ({ name: containing(text, field) }),
};
