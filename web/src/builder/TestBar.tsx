import { RotateCw, X } from "lucide-react";
import { Link } from "react-router";
import { useOverlay } from "@/canvas/overlay/overlay";
import { isFinal, statusOf } from "@/canvas/overlay/status";
import { useCanvas } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import { StatusBadge } from "@/ui/StatusBadge";
import { useWords } from "@/ui/Told";
import { Duration } from "@/ui/time";
import { useToasts } from "@/ui/toast";
import type { Testing } from "./useTest";

/** How the test that lies over the canvas is going, and what can be done with it. */
export function TestBar({ testing, onAgain }: { testing: Testing; onAgain: () => void }) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const status = useOverlay(statusOf);
  const startedAt = useOverlay((run) => run.startedAt);
  const endedAt = useOverlay((run) => run.endedAt);
  const failed = useOverlay((run) => [...run.nodes.values()].find((node) => node.status === "FAILED" && node.error));
  const inWords = useWords();
  const { started, connection } = testing;
  const isOld = useCanvas((state) => started !== null && state.document.definition !== started.document.definition);
  if (!started) return null;
  const { part } = started.wish;
  return (
    <section
      aria-label={t("test.bar")}
      className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-line border-t bg-surface px-3 py-1.5"
    >
      <span className="font-semibold">
        {part.what === "all" ? t("test.ofAll") : t(`test.of.${part.what}`, { node: part.node })}
      </span>
      <span data-testid="run-status">{status ? <StatusBadge status={status} /> : null}</span>
      {startedAt ? (
        <span className="text-small text-soft">
          <Duration from={startedAt} to={endedAt} />
        </span>
      ) : null}
      {failed?.error ? (
        <span className="min-w-0 truncate text-small">
          <span className="font-mono text-failed">{failed.node}</span> {inWords(failed.error)}
        </span>
      ) : null}
      {isOld ? <span className="text-small text-soft">{t("test.old")}</span> : null}
      <span className="ml-auto flex items-center gap-1.5">
        {isFinal(status) ? null : (
          <>
            <span role="status" className="text-small text-soft">
              {t(`connection.${connection}`)}
            </span>
            <Button look="danger" onClick={() => void testing.cancel().then((refused) => refused && toast(refused))}>
              {t("run.cancel")}
            </Button>
          </>
        )}
        <Link
          to={`/runs/${started.id}`}
          // A definition that was never published belongs to no version, so the page is handed it.
          state={{ tried: started.document }}
          className="px-2 text-accent underline"
        >
          {t("test.open")}
        </Link>
        <Button icon={<RotateCw size={14} aria-hidden />} onClick={onAgain}>
          {t("test.again")}
        </Button>
        <IconButton label={t("test.clear")} onClick={testing.clear}>
          <X size={16} aria-hidden />
        </IconButton>
      </span>
    </section>
  );
}
