import type { Json } from "@/canvas/model/json";
import { isObject } from "@/canvas/model/json";
import { FileChip } from "@/files/FileLink";
import { fileIdIn } from "@/files/handles";
import { type RunFile, useFiles } from "@/files/useFiles";
import { useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { columnsOf } from "./shape";
import type { Source } from "./source";
import { usePages } from "./usePages";

/** More columns than this are left to the tree. */
const MOST_COLUMNS = 30;
const LONGEST = 120;

function cell(value: Json | undefined): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** A list as a table: a row for each item, a column for each field that any of them has. */
export function ValueTable({ value, source }: { value: Json | undefined; source: Source }) {
  const t = useT();
  const { parts, total, more, refused } = usePages(value, source);
  const files = useFiles(
    source,
    parts.flatMap(({ value: row }) => {
      const cells = [row, ...(isObject(row) ? Object.values(row) : [])];
      return cells.flatMap((one) => fileIdIn(one) ?? []);
    }),
  );
  const fileAt = (one: Json | undefined): RunFile | undefined => files.get(fileIdIn(one) ?? "");
  const columns = columnsOf(
    // A row that is a file is one thing.
    parts.flatMap((part) => (part.value === undefined || fileAt(part.value) ? [] : [part.value])),
  ).slice(0, MOST_COLUMNS);
  const inCell = (one: Json | undefined) => {
    const file = fileAt(one);
    return file ? <FileChip file={file} /> : cell(one);
  };
  if (refused) return <p className="text-failed">{refused}</p>;
  return (
    <>
      <section
        aria-label={t("data.view.table")}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        tabIndex={0}
        className="max-h-96 overflow-auto rounded-md border border-line bg-page"
      >
        <table className="w-full border-collapse text-left text-small">
          <thead className="sticky top-0 bg-raised">
            <tr>
              <th className="px-2 py-1 font-medium text-soft">#</th>
              {columns.length === 0 ? <th className="px-2 py-1 font-medium">{t("variables.value")}</th> : null}
              {columns.map((column) => (
                <th key={column} className="whitespace-nowrap px-2 py-1 font-medium font-mono">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {parts.map((part) => (
              <tr key={part.name} className="border-line border-t align-middle">
                <td className="px-2 py-1 text-soft tabular-nums">{part.name}</td>
                {isObject(part.value) && columns.length > 0 && !fileAt(part.value) ? (
                  columns.map((column) => (
                    <td key={column} className="max-w-64 truncate px-2 py-1 font-mono">
                      {isObject(part.value) ? inCell(part.value[column]) : ""}
                    </td>
                  ))
                ) : (
                  <td colSpan={Math.max(1, columns.length)} className="max-w-64 truncate px-2 py-1 font-mono">
                    {part.value === undefined ? `${part.preview.slice(0, LONGEST)}…` : inCell(part.value)}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className="flex items-center gap-2 text-small text-soft">
        {t("data.rows", { shown: parts.length, total })}
        {more ? (
          <Button className="h-7" onClick={more}>
            {t("data.showMore", { count: total - parts.length })}
          </Button>
        ) : null}
      </p>
    </>
  );
}
