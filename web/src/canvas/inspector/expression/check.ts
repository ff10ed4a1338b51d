import { useMemo } from "react";
import { type Client, useClient } from "urql";
import { graphql } from "@/gql";
import { inputsOf } from "../../model/catalog";
import { type Definition, type FlowDocument, source, target } from "../../model/document";
import { expressions, nodesRead } from "../../model/expression";
import { upstream } from "../../model/graph";
import { isObject, type Json, type JsonObject } from "../../model/json";
import { pinOf } from "../../model/pins";
import { type CanvasStore, useCanvasStore } from "../../store";
import { inputOf, outputIn, useLastRun } from "../lastRun";

const CheckQuery = graphql(`
  query CheckExpression($input: CheckExpressionInput!) {
    checkExpression(input: $input) {
      typeText valueText failure value
      problems { code severity message line column }
      completions { label insert kind detail summary }
    }
  }
`);

const VarsQuery = graphql(`
  query VarsAsSamples($project: String!) {
    variables(project: $project, first: 100) { nodes { id name value } }
  }
`);

/** What the server knows of an expression. */
export interface Checked {
  typeText: string;
  valueText?: string | null | undefined;
  value?: unknown;
  failure?: string | null | undefined;
  problems: { code: string; message: string }[];
  completions: { label: string; insert: string; kind: string; detail: string; summary: string }[];
}

/** Asks the server about an expression at a JSON pointer into a node, with a cursor to complete at or without one. */
export type Check = (path: string, expression: string, cursor?: number) => Promise<Checked | undefined>;

/** More characters than this are not sent with each key that is pressed. */
const MOST = 200_000;

/** The part of a definition that says what a node's expressions can name: the node and what comes before it. */
export function around(definition: Definition, key: string): Definition {
  const keys = new Set([key, ...upstream(definition, key)]);
  const nodes = Object.fromEntries(Object.entries(definition.nodes).filter(([one]) => keys.has(one)));
  const edges = definition.edges.filter((edge) => keys.has(source(edge).node) && keys.has(target(edge).node));
  return { ...definition, nodes, edges };
}

/** The only expression of a text that holds nothing else. */
function only(text: Json): string | undefined {
  if (typeof text !== "string") return undefined;
  const [span, ...more] = expressions(text);
  const whole = span && more.length === 0 && text.trim().startsWith("{{") && text.trim().endsWith("}}");
  return whole ? text.slice(span.start, span.end) : undefined;
}

/** Values of the last run by the names that expressions call them by. */
async function samplesFor(
  client: Client,
  document: FlowDocument,
  many: boolean,
  key: string,
  expression: string,
  runId: string | null,
  known: Map<string, Json>,
): Promise<JsonObject> {
  const output = async (one: string): Promise<Json | undefined> => {
    const pin = pinOf(document, one);
    if (pin) return pin.output;
    if (runId === null || known.has(one)) return known.get(one);
    const value = (await outputIn(client, runId, one))?.value;
    // A result never changes; that there is none yet does.
    if (value !== undefined) known.set(one, value);
    return value;
  };
  const samples: JsonObject = {};
  const edges = document.definition.edges.filter((edge) => target(edge).node === key);
  const before = [...new Set(edges.map((edge) => source(edge).node))];
  const arrived = await Promise.all(before.map(async (one) => [one, await output(one)] as const));
  const there = arrived.flatMap(([one, value]) => (value === undefined ? [] : [[one, value] as const]));
  const first = there[0];
  if (many && there.length > 0) samples.input = Object.fromEntries(there);
  else if (first) samples.input = first[1];
  const read = [...nodesRead(`{{${expression}}}`)].filter((one) => document.definition.nodes[one]);
  const nodes = await Promise.all(read.map(async (one) => [one, await output(one)] as const));
  samples.nodes = Object.fromEntries(nodes.flatMap(([one, value]) => (value === undefined ? [] : [[one, value]])));
  const given = runId === null ? undefined : (await inputOf(client, runId))?.value;
  if (given !== undefined) {
    samples.run = { input: given };
    samples.trigger = given;
  }
  return samples;
}

/** Asks about expressions of one node, with the last run's values as samples. */
export function checker(client: Client, store: CanvasStore, runId: string | null, project: string, key: string): Check {
  const ask = async (
    definition: Definition,
    path: string,
    expression: string,
    samples: JsonObject | undefined,
    cursor?: number,
  ) => {
    const input = {
      definition,
      node: key,
      path,
      expression,
      ...(samples ? { samples } : {}),
      ...(cursor === undefined ? {} : { cursor }),
    };
    if (JSON.stringify(input).length > MOST) return undefined;
    const { data } = await client.query(CheckQuery, { input }).toPromise();
    return data?.checkExpression;
  };
  const known = new Map<string, Json>();
  return async (path, expression, cursor) => {
    const { document, catalog } = store.getState();
    const node = document.definition.nodes[key];
    if (!node) return undefined;
    const definition = around(document.definition, key);
    const many = inputsOf(node, catalog).some((port) => port.many);
    const samples = await samplesFor(client, document, many, key, expression, runId, known);
    if (/\bvars\b/.test(expression)) {
      const { data } = await client.query(VarsQuery, { project }).toPromise();
      samples.vars = Object.fromEntries(data?.variables.nodes.map(({ name, value }) => [name, value as Json]) ?? []);
    }
    if (/\b(item|index)\b/.test(expression) && path !== "/for_each/items") {
      const each = node.for_each ? only(node.for_each.items) : undefined;
      const list =
        each === undefined
          ? node.for_each
            ? node.for_each.items
            : samples.input
          : ((await ask(definition, "/for_each/items", each, samples))?.value as Json | undefined);
      if (Array.isArray(list) && list[0] !== undefined) Object.assign(samples, { item: list[0], index: 0 });
    }
    // Without a value for anything, a failure would only say that nothing is known.
    const isKnown =
      Object.keys(samples).length > 1 || (isObject(samples.nodes) && Object.keys(samples.nodes).length > 0);
    return ask(definition, path, expression, isKnown ? samples : undefined, cursor);
  };
}

/** Asks about the expression that gives the output of the run, which may name every node. */
export function outputChecker(client: Client, store: CanvasStore, runId: string | null): Check {
  const known = new Map<string, Json>();
  return async (_path, expression, cursor) => {
    const { document } = store.getState();
    const samples = await samplesFor(client, document, false, "", expression, runId, known);
    const isKnown = Object.keys(samples).length > 1 || Object.keys((samples.nodes ?? {}) as JsonObject).length > 0;
    const { definition } = document;
    const input = {
      definition,
      expression,
      ...(isKnown ? { samples } : {}),
      ...(cursor === undefined ? {} : { cursor }),
    };
    if (JSON.stringify(input).length > MOST) return undefined;
    const { data } = await client.query(CheckQuery, { input }).toPromise();
    return data?.checkExpression;
  };
}

/** Asks about expressions of the node that is shown. */
export function useChecker(key: string): Check {
  const client = useClient();
  const store = useCanvasStore();
  const { runId, project } = useLastRun();
  return useMemo(() => checker(client, store, runId, project, key), [client, store, runId, project, key]);
}
