import type { Json } from "@/canvas/model/json";
import { fileIdIn, fileIdsIn } from "@/files/handles";
import { useFiles } from "@/files/useFiles";
import { useT } from "@/i18n";
import { type Shape, shapeOf } from "./shape";
import type { Source } from "./source";
import { usePages } from "./usePages";

interface Props {
  value: Json | undefined;
  kind: string;
  source: Source;
}

/** Which kinds of values there are, and where: told from what was there, not from what may come. */
export function ShapeView({ value, kind, source }: Props) {
  const t = useT();
  const { parts, total, refused } = usePages(value, source);
  const known = parts.flatMap((part) => (part.value === undefined ? [] : [[part.name, part.value] as const]));
  const whole = value ?? (kind === "LIST" ? known.map(([, item]) => item) : Object.fromEntries(known));
  const asked = fileIdsIn(whole);
  const files = useFiles(source, asked);
  if (refused) return <p className="text-failed">{refused}</p>;
  const shape = shapeOf([whole], (one) => {
    const id = fileIdIn(one);
    if (id === undefined || files.has(id)) return id !== undefined;
    return asked.includes(id) ? false : undefined;
  });
  return (
    <div>
      <ul className="rounded-md border border-line bg-page p-2 font-mono text-small">
        <OneShape name={null} shape={shape} optional={false} />
      </ul>
      {value === undefined && known.length < total ? (
        <p className="mt-1 text-small text-soft">{t("data.schemaOf", { shown: known.length, total })}</p>
      ) : null}
    </div>
  );
}

function OneShape({ name, shape, optional }: { name: string | null; shape: Shape; optional: boolean }) {
  const t = useT();
  const inside = Object.entries(shape.fields ?? {});
  return (
    <li>
      <span className="font-medium">{name}</span>
      {optional ? <span title={t("data.optional")}>?</span> : null}
      {name === null ? "" : ": "}
      <span className="text-soft">{shape.kinds.map((kind) => t(`kind.${kind}` as "kind.list")).join(" | ")}</span>
      {inside.length > 0 || shape.items ? (
        <ul className="ml-2 border-line border-l pl-3">
          {inside.map(([field, one]) => (
            <OneShape key={field} name={field} shape={one} optional={shape.optional?.includes(field) ?? false} />
          ))}
          {shape.items ? <OneShape name="[ ]" shape={shape.items} optional={false} /> : null}
        </ul>
      ) : null}
    </li>
  );
}
