import { buildSchema, getNamedType, isInputObjectType, isInterfaceType, isObjectType, print } from "graphql";
import { describe, expect, it } from "vitest";
import { typeDefs } from "../../src/graphql/schema.ts";

const schema = buildSchema(typeDefs());

/** Numbers of which neither a range nor a unit can be said, and why. */
const exceptions: Readonly<Record<string, string>> = {
  "RunFilter.seed": "is held against the seeds of runs, whatever they are",
  "ParameterFilter.gte": "has the unit and the range of the parameter that is named",
  "ParameterFilter.lte": "has the unit and the range of the parameter that is named",
  "MetricFilter.gte": "has the unit and the range of the metric that is named",
  "MetricFilter.lte": "has the unit and the range of the metric that is named",
  "SetModelAliasInput.version": "is the number of a version that is there",
  "SweepRangeInput.low": "has the unit and the range of the hyper-parameter that `path` names",
  "SweepRangeInput.high": "has the unit and the range of the hyper-parameter that `path` names",
};

const number = String.raw`-?\d[\d,.]*`;
const ranges = [
  String.raw`${number} to ${number}`,
  String.raw`(between|above|below|at least|at most|up to|or more) (${number}|one|\w)`,
  String.raw`at most\b`,
  String.raw`\bdefault:? `,
  String.raw`\b${number} for (all|none)\b`,
  String.raw`\b(seconds|minutes|hours|days|bytes|MiB|epochs|rows)\b`,
];
const saysRangeOrUnit = new RegExp(ranges.join("|"), "i");

interface NumberTaken {
  readonly path: string;
  readonly description: string;
}

/** Arguments and input members that are a number, or a list of numbers. */
function numbersTaken(): NumberTaken[] {
  return [...argumentsTaken(), ...inputMembers()]
    .filter(({ type }) => ["Int", "Float"].includes(getNamedType(type).name))
    .map(({ path, description }) => ({ path, description: description ?? "" }));
}

function argumentsTaken() {
  return Object.values(schema.getTypeMap())
    .filter((type) => !type.name.startsWith("__"))
    .flatMap((type) => {
      if (!isObjectType(type) && !isInterfaceType(type)) return [];
      return Object.values(type.getFields()).flatMap((field) =>
        field.args.map((arg) => ({ ...arg, path: `${type.name}.${field.name}(${arg.name})` })),
      );
    });
}

function inputMembers() {
  return Object.values(schema.getTypeMap()).flatMap((type) =>
    isInputObjectType(type)
      ? Object.values(type.getFields()).map((member) => ({ ...member, path: `${type.name}.${member.name}` }))
      : [],
  );
}

describe("the description of a number that is taken", () => {
  it("says a range, a unit or a default", () => {
    const silent = numbersTaken().filter(({ description }) => !saysRangeOrUnit.test(description));
    expect(silent.filter(({ path }) => !(path in exceptions))).toEqual([]);
  });

  it("is excused only where there is such a number, and it says none", () => {
    const silent = numbersTaken().filter(({ description }) => !saysRangeOrUnit.test(description));
    expect(Object.keys(exceptions).filter((path) => !silent.some((one) => one.path === path))).toEqual([]);
  });

  it.each([
    ["Page size, 1 to 100.", true],
    ["Share of all rows, between 0 and 1.", true],
    ["Seconds of training.", true],
    ["The number of the thing.", false],
    ["How many there are to be.", false],
  ])("%j is held for one: %j", (text, expected) => {
    expect(saysRangeOrUnit.test(text)).toBe(expected);
  });
});

describe("the description of an argument with a range", () => {
  it("says that range", () => {
    const ranged = argumentsTaken().flatMap(({ path, description, astNode }) => {
      const range = astNode?.directives?.find(({ name }) => name.value === "range")?.arguments;
      const bound = (name: string): string => print(range!.find((arg) => arg.name.value === name)!.value);
      return range ? [{ path, description, expected: `${bound("min")} to ${bound("max")}` }] : [];
    });
    expect(ranged.length).toBeGreaterThan(0);
    expect(ranged.filter(({ description, expected }) => !description?.includes(expected))).toEqual([]);
  });
});

describe("a directive of the schema", () => {
  it("is described, with its arguments", () => {
    const own = schema.getDirectives().filter(({ name }) => typeDefs().includes(`directive @${name}`));
    expect(own.map(({ name }) => name)).toContain("access");
    for (const { description, args } of own) {
      expect([description, ...args.map((arg) => arg.description)]).toEqual(
        [description, ...args].map(() => expect.any(String)),
      );
    }
  });
});
