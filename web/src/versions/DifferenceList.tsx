import type { Difference, FieldDifference } from "@/canvas/model/difference";
import { isSame } from "@/canvas/model/difference";
import { useT } from "@/i18n";
import { ChangeIcon } from "@/ui/ChangeIcon";

function text(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}

function Field({ field }: { field: FieldDifference }) {
  const t = useT();
  const has = (value: unknown) => value !== undefined && value !== null;
  return (
    <li className="font-mono text-small">
      <span className="text-soft">{field.path.replace(/^\//, "").replaceAll("/", " / ")}</span>
      {has(field.from) ? (
        <p className="whitespace-pre-wrap break-words border-failed border-l-2 pl-2">
          <span className="sr-only">{t("difference.before")} </span>
          <del className="no-underline">{text(field.from)}</del>
        </p>
      ) : null}
      {has(field.to) ? (
        <p className="whitespace-pre-wrap break-words border-succeeded border-l-2 pl-2">
          <span className="sr-only">{t("difference.after")} </span>
          <ins className="no-underline">{text(field.to)}</ins>
        </p>
      ) : null}
    </li>
  );
}

/** Everything that differs, node by node, with the values before and after. */
export function DifferenceList({ difference }: { difference: Difference }) {
  const t = useT();
  const { nodes, edgesAdded, edgesRemoved, fields } = difference;
  if (isSame(difference)) return <p className="text-soft">{t("publish.noChanges")}</p>;
  const edges = [
    ...edgesAdded.map((edge) => ({ ...edge, change: "ADDED" as const })),
    ...edgesRemoved.map((edge) => ({ ...edge, change: "REMOVED" as const })),
  ];
  return (
    <ul className="flex flex-col gap-2">
      {nodes.map((node) => (
        <li key={node.key}>
          <p className="flex items-center gap-2">
            <ChangeIcon change={node.change} label={t(`difference.${node.change}`)} />
            <span className="font-medium font-mono">{node.key}</span>
          </p>
          {node.fields.length > 0 ? (
            <ul className="mt-1 flex flex-col gap-1 pl-6">
              {node.fields.map((field) => (
                <Field key={field.path} field={field} />
              ))}
            </ul>
          ) : null}
        </li>
      ))}
      {edges.map(({ from, to, change }) => (
        <li key={`${change} ${from} ${to}`} className="flex items-center gap-2">
          <ChangeIcon change={change} label={t(`difference.${change}`)} />
          <span className="font-mono text-small">
            {from} → {to}
          </span>
        </li>
      ))}
      {fields.map((field) => (
        <Field key={field.path} field={field} />
      ))}
    </ul>
  );
}
