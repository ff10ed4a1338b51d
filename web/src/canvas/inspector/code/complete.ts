import type { PortType } from "../../model/catalog";

/** Something that can be written at the cursor of a script. */
export interface Proposal {
  label: string;
  detail: string;
  kind: "property" | "function" | "variable";
}

/** What can be written at a place of a script, and where the word that is being written begins. */
export interface Proposals {
  from: number;
  list: Proposal[];
}

const CHAIN =
  /(?:^|[^\w$.])([A-Za-z_$][\w$]*)((?:\s*\??\.\s*[A-Za-z_$][\w$]*|\s*(?:\?\.)?\[\s*\d+\s*\])*)\s*\??\.\s*([\w$]*)$/;
const STEP = /\??\.\s*([A-Za-z_$][\w$]*)|\[\s*\d+\s*\]/g;
const DECLARED = /^declare (const|function) (\w+)(.*)$/gm;
const MEMBER = /(?:^|[{;])\s*(?:readonly )?(\w+)(\(|<|\??:)/g;

/** What types in the form of a `.d.ts` declare: each name with its members. */
export function declared(types: string): Map<string, Proposal[]> {
  const found = new Map<string, Proposal[]>();
  for (const { 1: keyword, 2: name = "", 3: rest = "", index } of types.matchAll(DECLARED)) {
    const inline = rest.includes("}") ? rest : "";
    const end = types.indexOf("\n};", index);
    const body = inline || (rest.trim().endsWith("{") ? types.slice(index, end < 0 ? undefined : end) : "");
    const members = keyword === "const" ? membersIn(body.slice(body.indexOf("{"))) : [];
    found.set(name, members);
  }
  return found;
}

function membersIn(body: string): Proposal[] {
  return [...body.matchAll(MEMBER)].map(({ 1: label = "", 2: after }) =>
    after === "(" || after === "<"
      ? { label, detail: "()", kind: "function" }
      : { label, detail: "", kind: "property" },
  );
}

/**
 * What is known at a place of a script: the members of `input`, as far as schemas tell, and what the types declare. The
 * language itself is completed elsewhere.
 */
export function propose(text: string, place: number, input: PortType, types: string): Proposals | undefined {
  const before = text.slice(0, place);
  const chain = CHAIN.exec(before);
  if (chain) {
    const [, root = "", path = "", word = ""] = chain;
    const list = root === "input" ? fieldsOf(walk(input, path)) : path === "" ? declared(types).get(root) : undefined;
    return list && list.length > 0 ? { from: place - word.length, list } : undefined;
  }
  const word = /(?:^|[^\w$.])([A-Za-z_$][\w$]*)$/.exec(before)?.[1];
  if (word === undefined) return undefined;
  const list = [...declared(types)].map(
    ([label, members]): Proposal => ({
      label,
      detail: "",
      kind: members.length > 0 || label === "input" ? "variable" : "function",
    }),
  );
  return { from: place - word.length, list };
}

/** The type behind steps such as `.rows[0].price`; nothing when the schemas end before. */
function walk(type: PortType, path: string): PortType | undefined {
  let here: PortType | undefined = type;
  for (const [, name] of path.matchAll(STEP)) here = name === undefined ? here?.items : here?.fields?.[name];
  return here;
}

function fieldsOf(type: PortType | undefined): Proposal[] {
  return Object.entries(type?.fields ?? {})
    .filter(([label]) => /^[A-Za-z_$][\w$]*$/.test(label))
    .map(([label, one]) => ({ label, detail: shown(one), kind: "property" }));
}

function shown(type: PortType): string {
  return type.type === "list" ? `${shown(type.items ?? { type: "any" })}[]` : type.type;
}
