import { CircleAlert, TriangleAlert, X } from "lucide-react";
import type { PlacedProblem } from "@/canvas/model/problems";
import { problemsOf, useCanvas } from "@/canvas/store";
import { useT } from "@/i18n";
import { IconButton } from "@/ui/Button";
import { Hint, Told } from "@/ui/Told";

/** Everything that keeps the workflow from being published, each with a way to where it is. */
export function ProblemsPanel({ onGo, onClose }: { onGo: (problem: PlacedProblem) => void; onClose: () => void }) {
  const t = useT();
  const problems = useCanvas(problemsOf);
  return (
    <section aria-label={t("problems.title")} className="flex max-h-60 flex-col border-line border-t bg-surface">
      <header className="flex items-center justify-between px-3 py-1.5">
        <h2 className="font-semibold text-section">{t("problems.title")}</h2>
        <IconButton label={t("action.closePanel")} onClick={onClose}>
          <X size={16} aria-hidden />
        </IconButton>
      </header>
      <ul className="min-h-0 overflow-auto px-2 pb-2">
        {problems.map((problem) => (
          <li key={`${problem.code} ${problem.path} ${problem.message}`}>
            <button
              type="button"
              onClick={() => onGo(problem)}
              className="flex w-full items-start gap-2 rounded-md px-2 py-1.5 text-left hover:bg-raised"
            >
              {problem.severity === "ERROR" ? (
                <CircleAlert
                  size={16}
                  className="mt-0.5 shrink-0 text-failed"
                  role="img"
                  aria-label={t("problems.error")}
                />
              ) : (
                <TriangleAlert
                  size={16}
                  className="mt-0.5 shrink-0 text-waiting"
                  role="img"
                  aria-label={t("problems.warning")}
                />
              )}
              <span className="min-w-0 flex-1">
                {problem.place.missing === undefined ? (
                  <Told code={problem.code} message={problem.message} />
                ) : (
                  <span className="block">{t("problems.missing", { field: problem.place.missing })}</span>
                )}
                <Hint problem={problem} />
              </span>
              <span className="shrink-0 font-mono text-badge text-soft">{problem.node ?? problem.code}</span>
            </button>
          </li>
        ))}
      </ul>
      {problems.length === 0 ? <p className="px-3 pb-3 text-soft">{t("problems.none")}</p> : null}
    </section>
  );
}
