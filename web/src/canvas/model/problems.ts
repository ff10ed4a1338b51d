import { edgeId, type FlowDocument } from "./document";
import { pointer, steps } from "./json";

/** One thing that is wrong with a document, in the words of the server's published list. */
export interface Problem {
  code: string;
  severity: "ERROR" | "WARNING";
  /** JSON pointer into the definition. */
  path: string;
  node: string | null;
  message: string;
  hint: string | null;
}

/** What a problem is about, on the canvas and in the inspector. */
export interface Place {
  node?: string;
  /** The id of an edge. */
  edge?: string;
  /** JSON pointer into the node: `/config/url`, `/retry/attempts`; empty for the node itself. */
  field?: string;
  /** The name of a field that must be there and is not. */
  missing?: string;
}

/** What is not there has no place of its own: the server names what should contain it, and the field in its words. */
const MISSING = /^"(.+)" is a required property$/;

/** Finds what a problem is about. `document` is the one that was checked: edges are counted in it. */
export function placeOf(problem: Problem, document: FlowDocument): Place {
  const [root, name, ...rest] = steps(problem.path);
  if (root === "nodes" && name !== undefined) {
    const missing = problem.code === "CONFIG_INVALID" ? MISSING.exec(problem.message)?.[1] : undefined;
    if (missing !== undefined) return { node: name, field: pointer(...rest, missing), missing };
    return { node: name, field: pointer(...rest) };
  }
  if (root === "edges" && name !== undefined) {
    const edge = document.definition.edges[Number(name)];
    return { ...(edge ? { edge: edgeId(edge) } : {}), ...(problem.node ? { node: problem.node } : {}) };
  }
  return problem.node ? { node: problem.node } : {};
}

/** A problem and what it is about. */
export interface PlacedProblem extends Problem {
  place: Place;
}

/** The problems with what they are about, errors first, in the order of the document. */
export function placed(problems: readonly Problem[], document: FlowDocument): PlacedProblem[] {
  return problems
    .map((problem) => ({ ...problem, place: placeOf(problem, document) }))
    .sort((a, b) => Number(a.severity === "WARNING") - Number(b.severity === "WARNING"));
}

/** The problems of one field and of what is inside it. */
export function problemsAt(problems: readonly PlacedProblem[], node: string, field: string): PlacedProblem[] {
  return problems.filter(({ place }) => {
    if (place.node !== node || place.field === undefined) return false;
    return place.field === field || place.field.startsWith(`${field}/`);
  });
}
