/** The reference of the API as Markdown, made from the schema alone: what its descriptions do not say is not in it. */
import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  isUnionType,
  getNamedType,
  print,
} from "graphql";
import type {
  GraphQLArgument,
  GraphQLEnumType,
  GraphQLField,
  GraphQLInputField,
  GraphQLInputType,
  GraphQLNamedType,
  GraphQLObjectType,
  GraphQLOutputType,
  GraphQLSchema,
} from "graphql";

const introduction = `# API

Everything that can be asked over GraphQL, at \`/graphql\` of a running server. This page is made from
[schema.graphql](../schema.graphql) by \`npm run docs\`; the texts are those of the schema, which GraphiQL shows too. What has
changed between versions is in [schema-changes.md](schema-changes.md).

\`= value\` after a type is the default. Of a type with \`!\` at its end there is always a value. The _role_ is the least one a token
needs; each may do what those before it may: VIEWER, EDITOR, ADMIN. A server that only this machine can reach works without tokens.`;

/** Headings of the sections of types, with the word that stands before a type's name in its own heading. */
const kinds = [
  { title: "Objects", word: "type", holds: isObjectType },
  { title: "Interfaces", word: "interface", holds: isInterfaceType },
  { title: "Unions", word: "union", holds: isUnionType },
  { title: "Inputs", word: "input", holds: isInputObjectType },
  { title: "Enums", word: "enum", holds: isEnumType },
  { title: "Scalars", word: "scalar", holds: isScalarType },
] as const;

interface Section {
  readonly title: string;
  /** Each begins with its heading. */
  readonly entries: readonly { readonly heading: string; readonly text: string }[];
}

/** Fields of a root type in the order of the schema, types by name. */
export function apiReference(schema: GraphQLSchema): string {
  const roots = [
    { title: "Queries", word: "query", type: schema.getQueryType() },
    { title: "Mutations", word: "mutation", type: schema.getMutationType() },
    { title: "Subscriptions", word: "subscription", type: schema.getSubscriptionType() },
  ];
  const rootTypes = new Set<GraphQLNamedType>(roots.flatMap(({ type }) => type ?? []));
  const types = Object.values(schema.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type) && !rootTypes.has(type))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

  const operations = roots.map(({ title, word, type }): Section => {
    const fields = Object.values(type?.getFields() ?? {});
    return { title, entries: fields.map((field) => ({ heading: `${word} ${field.name}`, text: operation(field) })) };
  });
  const described = kinds.map(({ title, word, holds }): Section => {
    const own = types.filter((type) => holds(type));
    return { title, entries: own.map((type) => ({ heading: `${word} ${type.name}`, text: typeText(schema, type) })) };
  });

  const sections = [...operations, ...described].filter(({ entries }) => entries.length > 0);
  return `${[introduction, ...sections.map(contents), ...sections.map(sectionText)].join("\n\n")}\n`;
}

/** The anchor GitHub gives a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

function contents({ title, entries }: Section): string {
  const links = entries.map(({ heading }) => link(heading.split(" ")[1]!, heading));
  return `**[${title}](#${anchorOf(title)})**: ${links.join(", ")}`;
}

function sectionText({ title, entries }: Section): string {
  return [`## ${title}`, ...entries.flatMap(({ heading, text }) => [`### ${heading}`, text])].join("\n\n");
}

function operation(field: GraphQLField<unknown, unknown>): string {
  const facts = `_Answers_ ${typeLink(field.type)} · _role_ ${roleOf(field) ?? "VIEWER"}`;
  const parts = [facts, deprecated(field), paragraphs(field.description), field.args.map(argument).join("\n")];
  return parts.filter(Boolean).join("\n\n");
}

function typeText(schema: GraphQLSchema, type: GraphQLNamedType): string {
  const role = isObjectType(type) ? roleOf(type) : undefined;
  const facts = [relations(schema, type), role ? `_role_ ${role}` : ""].filter(Boolean).join(" · ");
  return [paragraphs(type.description), facts, members(type)].filter(Boolean).join("\n\n");
}

/** Which interfaces it implements, or which types are behind it. */
function relations(schema: GraphQLSchema, type: GraphQLNamedType): string {
  const named = (others: readonly GraphQLNamedType[]): string => others.map((other) => typeLink(other)).join(", ");
  if (isUnionType(type)) return `_One of_ ${named(type.getTypes())}`;
  if (isInterfaceType(type)) return `_Implemented by_ ${named(schema.getPossibleTypes(type))}`;
  if (isObjectType(type) && type.getInterfaces().length > 0) return `_Implements_ ${named(type.getInterfaces())}`;
  return "";
}

function members(type: GraphQLNamedType): string {
  if (isEnumType(type)) return enumValues(type);
  if (isInputObjectType(type)) return Object.values(type.getFields()).map(inputMember).join("\n");
  if (!isObjectType(type) && !isInterfaceType(type)) return "";
  return Object.values(type.getFields())
    .map((field) => [outputField(field), ...field.args.map((arg) => `  ${argument(arg)}`)].join("\n"))
    .join("\n");
}

function enumValues(type: GraphQLEnumType): string {
  return type
    .getValues()
    .map((value) => item([`\`${value.name}\``], value))
    .join("\n");
}

function outputField(field: GraphQLField<unknown, unknown>): string {
  const role = roleOf(field);
  return item([`**${field.name}**`, typeLink(field.type), ...(role ? [`_role_ ${role}`] : [])], field);
}

function inputMember(member: GraphQLInputField): string {
  return item([`**${member.name}**`, typeLink(member.type) + standard(member)], member);
}

function argument(arg: GraphQLArgument): string {
  return item([`\`${arg.name}\``, typeLink(arg.type) + standard(arg)], arg);
}

type Described = { readonly description?: string | null; readonly deprecationReason?: string | null };

function item(facts: readonly string[], described: Described): string {
  const texts = [deprecated(described), described.description].map((text) => text?.replace(/\s+/g, " ").trim());
  return `- ${facts.join(" ")}: ${texts.filter(Boolean).join(" ")}`;
}

function deprecated({ deprecationReason }: Described): string {
  return deprecationReason ? `**Deprecated**: ${deprecationReason}` : "";
}

/** A description without the line breaks that only keep the schema narrow. */
function paragraphs(description: string | null | undefined): string {
  return (description ?? "")
    .split(/\n\s*\n/)
    .map((text) => text.replace(/\s+/g, " ").trim())
    .join("\n\n");
}

/** The default as the schema writes it. */
function standard({ astNode }: GraphQLArgument | GraphQLInputField): string {
  return astNode?.defaultValue ? ` \`= ${print(astNode.defaultValue)}\`` : "";
}

/** What `@access` says, if anything. */
function roleOf({ astNode }: GraphQLField<unknown, unknown> | GraphQLObjectType): string | undefined {
  const role = astNode?.directives
    ?.find(({ name }) => name.value === "access")
    ?.arguments?.find(({ name }) => name.value === "role");
  return role && print(role.value);
}

function typeLink(type: GraphQLNamedType | GraphQLOutputType | GraphQLInputType): string {
  const named = getNamedType(type);
  if (isSpecifiedScalarType(named)) return `\`${String(type)}\``;
  const { word } = kinds.find(({ holds }) => holds(named))!;
  return link(String(type), `${word} ${named.name}`);
}

function link(text: string, heading: string): string {
  return `[\`${text}\`](#${anchorOf(heading)})`;
}
