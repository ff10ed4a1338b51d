import { isObject, type Json } from "@/canvas/model/json";

/** One field of a kind of credential, as its JSON Schema describes it. */
export interface ConnectionField {
  name: string;
  title: string;
  help: string | undefined;
  secret: boolean;
  required: boolean;
  lines: boolean;
  list: boolean;
  /** What can be chosen; nothing where anything can be written. */
  choices: string[];
  /** What an empty field means. */
  otherwise: string | undefined;
}

/** The fields of a kind of credential as their author put them: host and port, name and password stand together. */
export function fieldsOf(schema: Json): ConnectionField[] {
  const properties = isObject(schema) && isObject(schema.properties) ? schema.properties : {};
  const required = isObject(schema) && Array.isArray(schema.required) ? schema.required : [];
  const fields = Object.entries(properties).map(([name, field]): ConnectionField => {
    const of = isObject(field) ? field : {};
    return {
      name,
      title: typeof of.title === "string" ? of.title : name,
      help: typeof of.description === "string" ? of.description : undefined,
      secret: of["x-secret"] === true,
      required: required.includes(name),
      lines: of["x-multiline"] === true,
      list: of.type === "array",
      choices: Array.isArray(of.enum) ? of.enum.filter((one) => typeof one === "string") : [],
      otherwise: typeof of.default === "string" ? of.default : undefined,
    };
  });
  const place = ({ name, required }: ConnectionField) => {
    const field = properties[name];
    const order = isObject(field) ? field["x-order"] : undefined;
    return typeof order === "number" ? order : Number.MAX_SAFE_INTEGER - Number(required);
  };
  return fields.sort((a, b) => place(a) - place(b));
}

/** What was typed, by field, as it is sent: plain fields, and secrets apart. Empty ones are left out. */
export function asSent(fields: readonly ConnectionField[], typed: Readonly<Record<string, string>>) {
  const plain: Record<string, Json> = {};
  const secrets: Record<string, Json> = {};
  for (const field of fields) {
    const text = typed[field.name] ?? "";
    if (text.trim() === "") continue;
    if (field.secret) secrets[field.name] = text;
    else plain[field.name] = field.list ? text.split(/[\s,]+/).filter(Boolean) : text.trim();
  }
  return { fields: plain, secrets };
}

/** The plain fields of a connection as they are typed. Secrets can never be read, so they begin empty. */
export function asTyped(fields: readonly ConnectionField[], value: Json): Record<string, string> {
  const known = isObject(value) ? value : {};
  return Object.fromEntries(
    fields.map(({ name, secret, list }) => {
      const own = known[name];
      if (secret || own === undefined || own === null) return [name, ""];
      return [name, list && Array.isArray(own) ? own.join(", ") : String(own)];
    }),
  );
}
