import { Position } from "@xyflow/react";
import { type Catalog, inputsOf, outputsOf } from "../model/catalog";
import { CARD, type Definition, type FlowNode, source } from "../model/document";

/** A port as it is drawn: where on the card, and whether its name is written beside it. */
export interface DrawnPort {
  id: string;
  type: "source" | "target";
  position: Position;
  x: number;
  y: number;
  many: boolean;
  labelled: boolean;
}

const joinedErrors = new WeakMap<Definition, ReadonlySet<string>>();

/** The nodes whose errors lead somewhere. */
export function nodesWithErrorEdge(definition: Definition): ReadonlySet<string> {
  const known = joinedErrors.get(definition);
  if (known) return known;
  const ends = definition.edges.map(source).filter(({ port }) => port === "error");
  const found = new Set(ends.map(({ node }) => node));
  joinedErrors.set(definition, found);
  return found;
}

/** Where a card's ports are: inputs left, outputs right, and `error` below. */
export function portsOf(node: FlowNode, catalog: Catalog): DrawnPort[] {
  const inputs = inputsOf(node, catalog);
  const outputs = outputsOf(node, catalog);
  const main = outputs.filter(({ name }) => name !== "error");
  const spread = (index: number, count: number) => Math.round((CARD.height * (index + 1)) / (count + 1));
  return [
    ...inputs.map(({ name, many }, index) => ({
      id: name,
      type: "target" as const,
      position: Position.Left,
      x: 0,
      y: spread(index, inputs.length),
      many,
      labelled: inputs.length > 1,
    })),
    ...main.map(({ name }, index) => ({
      id: name,
      type: "source" as const,
      position: Position.Right,
      x: CARD.width,
      y: spread(index, main.length),
      many: true,
      labelled: main.length > 1,
    })),
    ...outputs
      .filter(({ name }) => name === "error")
      .map(({ name }) => ({
        id: name,
        type: "source" as const,
        position: Position.Bottom,
        x: CARD.width - 32,
        y: CARD.height,
        many: true,
        labelled: true,
      })),
  ];
}
