import {
  CalendarClock,
  CircleAlert,
  CircleCheck,
  Workflow as Drawing,
  FlaskConical,
  GitCompare,
  LayoutList,
  Play,
  Plus,
  Redo2,
  RotateCcw,
  Settings2,
  Undo2,
  Upload,
  WandSparkles,
} from "lucide-react";
import { Link } from "react-router";
import type { Action } from "@/canvas/interaction/keymap";
import { useCanvas } from "@/canvas/store";
import { useT } from "@/i18n";
import { Button, IconButton } from "@/ui/Button";
import type { Saving } from "./useDraft";

interface Props {
  project: string;
  name: string;
  workflow: {
    title: string;
    latestVersion?: { number: number } | null | undefined;
    deployments: { environment: string; version: { number: number } }[];
  };
  saving: Saving;
  problems: number;
  outline: boolean;
  mayEdit: boolean;
  mayRun: boolean;
  /** The draft says the same as the latest version. */
  isPublished: boolean;
  act: (action: Action) => void;
  onOutline: () => void;
  onProblems: () => void;
  onSettings: () => void;
  onPublish: () => void;
  onTest: () => void;
  onRun: () => void;
  onDiscard: () => void;
}

/** Name, version, where the work is kept, and what can be done. */
export function BuilderHeader(props: Props) {
  const { project, name, workflow, saving, problems, outline, mayEdit, isPublished, act } = props;
  const t = useT();
  const canUndo = useCanvas((state) => state.history.done.length > 0);
  const canRedo = useCanvas((state) => state.history.undone.length > 0);
  const latest = workflow.latestVersion;
  const deployed = workflow?.deployments
    .map(({ environment, version }) => `${environment}: v${version.number}`)
    .join(", ");
  return (
    <header className="flex min-h-12 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-line border-b bg-surface px-3 py-1.5">
      <div className="min-w-0">
        <nav aria-label={t("nav.breadcrumbs")} className="text-small text-soft">
          <Link to="/workflows" className="hover:underline">
            {t("nav.workflows")}
          </Link>
          {` / ${project} / `}
          <span className="font-mono">{name}</span>
        </nav>
        <h1 className="truncate font-semibold text-section">{workflow.title}</h1>
      </div>
      {latest ? (
        <Link
          to={`/workflows/${project}/${name}/versions`}
          aria-label={t("versions.open", { number: latest.number })}
          className="inline-flex items-center gap-1 rounded-full bg-raised px-2 text-badge hover:underline"
          title={deployed}
        >
          <GitCompare size={12} aria-hidden />v{latest.number}
        </Link>
      ) : (
        <span className="rounded-full bg-raised px-2 text-badge">{t("builder.neverPublished")}</span>
      )}
      <span role="status" className="text-small text-soft" data-testid="saving">
        {mayEdit ? t(`draft.${saving.state}`) : t("draft.readOnly")}
        {saving.message ? `: ${saving.message}` : ""}
        {latest && !isPublished && saving.state !== "opening"
          ? ` · ${t("draft.ahead", { number: latest.number })}`
          : ""}
      </span>
      <div className="ml-auto flex flex-wrap items-center gap-1">
        <IconButton className="max-sm:hidden" label={t("key.undo")} disabled={!canUndo} onClick={() => act("undo")}>
          <Undo2 size={16} aria-hidden />
        </IconButton>
        <IconButton className="max-sm:hidden" label={t("key.redo")} disabled={!canRedo} onClick={() => act("redo")}>
          <Redo2 size={16} aria-hidden />
        </IconButton>
        <IconButton className="max-sm:hidden" label={t("key.add")} disabled={!mayEdit} onClick={() => act("add")}>
          <Plus size={16} aria-hidden />
        </IconButton>
        <IconButton
          className="max-sm:hidden"
          label={t("key.tidy")}
          onClick={() => act("tidy")}
          disabled={outline || !mayEdit}
        >
          <WandSparkles size={16} aria-hidden />
        </IconButton>
        <IconButton
          label={outline ? t("outline.hide") : t("outline.show")}
          aria-pressed={outline}
          onClick={props.onOutline}
        >
          {outline ? <Drawing size={16} aria-hidden /> : <LayoutList size={16} aria-hidden />}
        </IconButton>
        {!isPublished && latest && mayEdit ? (
          <IconButton label={t("draft.discard", { number: latest.number })} onClick={props.onDiscard}>
            <RotateCcw size={16} aria-hidden />
          </IconButton>
        ) : null}
        {latest ? (
          <Link
            to={`/workflows/${project}/${name}/triggers`}
            aria-label={t("triggers.open")}
            title={t("triggers.open")}
            className="inline-flex size-8 shrink-0 items-center justify-center rounded-md text-soft hover:bg-raised hover:text-text max-sm:size-11"
          >
            <CalendarClock size={16} aria-hidden />
          </Link>
        ) : null}
        <IconButton label={t("workflow.settings")} onClick={props.onSettings}>
          <Settings2 size={16} aria-hidden />
        </IconButton>
        <Button
          look="quiet"
          icon={
            problems > 0 ? (
              <CircleAlert size={16} aria-hidden className="text-failed" />
            ) : (
              <CircleCheck size={16} aria-hidden className="text-succeeded" />
            )
          }
          onClick={props.onProblems}
        >
          {problems > 0 ? t("problems.button", { count: problems }) : t("problems.zero")}
        </Button>
        <Button icon={<FlaskConical size={14} aria-hidden />} disabled={!props.mayRun} onClick={props.onTest}>
          {t("test.button")}
        </Button>
        {latest ? (
          <Button icon={<Play size={14} aria-hidden />} disabled={!props.mayRun} onClick={props.onRun}>
            {t("run.button", { number: latest.number })}
          </Button>
        ) : null}
        <Button
          look="primary"
          icon={<Upload size={14} aria-hidden />}
          disabled={!mayEdit || isPublished}
          title={mayEdit ? undefined : t("publish.needsEditor")}
          onClick={props.onPublish}
        >
          {t("publish.button")}
        </Button>
      </div>
    </header>
  );
}
