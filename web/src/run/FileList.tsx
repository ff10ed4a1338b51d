import { File as FileIcon } from "lucide-react";
import { useEffect, useRef } from "react";
import { Link, useLocation } from "react-router";
import { useList } from "@/api/useList";
import { useSettings } from "@/app/settings";
import { useOverlay } from "@/canvas/overlay/overlay";
import { FileLink } from "@/files/FileLink";
import { size } from "@/files/size";
import { useT } from "@/i18n";
import { Empty } from "@/ui/Empty";
import { ListOf } from "@/ui/ListOf";
import { Row, Rows } from "@/ui/Rows";
import { Time } from "@/ui/time";
import { FilesQuery } from "./queries";

/** While a run goes on, its files are read anew no more often than this. */
const ANEW_AFTER_MS = 700;

/** The files of a run, as they come: what they are, which node kept them and the way to them. */
export function FileList({ runId }: { runId: string }) {
  const t = useT();
  const language = useSettings((settings) => settings.language);
  const { search } = useLocation();
  const list = useList(FilesQuery, { id: runId }, ({ run }) => run?.artifacts ?? NOTHING);
  useAnewWithRun(list.again);
  const withNode = (node: string) => {
    const params = new URLSearchParams(search);
    params.set("node", node);
    return { search: params.toString() };
  };
  return (
    <div className="mx-auto max-w-5xl p-4">
      <ListOf list={list} none={<Empty title={t("files.none")}>{t("files.none.help")}</Empty>}>
        {(files) => (
          <Rows label={t("files.title")}>
            {files.map((file) => (
              <Row key={file.id} label={file.name} actions={<FileLink file={file} />}>
                <div className="flex min-w-0 items-start gap-2">
                  <FileIcon size={16} aria-hidden className="mt-0.5 shrink-0 text-soft" />
                  <div className="min-w-0">
                    <p className="break-words font-medium">{file.name}</p>
                    <p className="truncate text-small text-soft" title={file.mediaType}>
                      {file.mediaType}
                    </p>
                  </div>
                </div>
                <p className="min-w-0 text-small text-soft">
                  {file.node ? (
                    <>
                      {t("files.keptBy")}{" "}
                      <Link
                        replace
                        to={withNode(file.node)}
                        className="break-words font-mono text-accent hover:underline"
                      >
                        {file.node}
                      </Link>
                    </>
                  ) : (
                    t("files.cameWith")
                  )}
                </p>
                <p className="text-small text-soft">
                  <span
                    className="whitespace-nowrap text-text tabular-nums"
                    title={t("data.bytes", { bytes: file.size.toLocaleString(language) })}
                  >
                    {size(file.size, language)}
                  </span>
                  {" · "}
                  <span className="whitespace-nowrap">
                    <Time at={file.createdAt} />
                  </span>
                </p>
              </Row>
            ))}
          </Rows>
        )}
      </ListOf>
    </div>
  );
}

const NOTHING = { nodes: [], pageInfo: { hasNextPage: false } };

/** Calls this when node runs have settled, for then there may be more files. */
function useAnewWithRun(again: () => void): void {
  const settled = useOverlay(({ nodes, endedAt }) => {
    let count = endedAt === null ? 0 : 1;
    for (const { endedAt: ended } of nodes.values()) if (ended !== null) count += 1;
    return count;
  });
  const latest = useRef(again);
  latest.current = again;
  const timer = useRef<number>(undefined);
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each one that settles counts
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    timer.current ??= window.setTimeout(() => {
      timer.current = undefined;
      latest.current();
    }, ANEW_AFTER_MS);
  }, [settled]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
}
