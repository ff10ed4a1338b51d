import type { ResultOf } from "@graphql-typed-document-node/core";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { mayManage, mayEdit as roleMayEdit } from "@/app/role";
import { preloadEditor } from "@/canvas/inspector/expression/CodeField";
import { hooksOf, LastRunProvider, type Part } from "@/canvas/inspector/lastRun";
import { ActionMenu, type MenuPlace } from "@/canvas/interaction/ActionMenu";
import { type Action, BINDINGS, written } from "@/canvas/interaction/keymap";
import { Palette } from "@/canvas/interaction/Palette";
import { useEditing } from "@/canvas/interaction/useEditing";
import { useKeys } from "@/canvas/interaction/useKeys";
import type { Catalog } from "@/canvas/model/catalog";
import { same } from "@/canvas/model/json";
import type { PlacedProblem } from "@/canvas/model/problems";
import { createRunStore, OverlayProvider } from "@/canvas/overlay/overlay";
import { type CanvasStore, problemsOf, useCanvas } from "@/canvas/store";
import { Canvas } from "@/canvas/view/Canvas";
import { type MessageKey, useT } from "@/i18n";
import { Button } from "@/ui/Button";
import { Split } from "@/ui/Split";
import { useToasts } from "@/ui/toast";
import { BuilderHeader } from "./BuilderHeader";
import { ProblemsPanel } from "./ProblemsPanel";
import type { WorkflowQuery } from "./queries";
import { TestBar } from "./TestBar";
import { useDraft } from "./useDraft";
import { usePin } from "./usePin";
import { useTest } from "./useTest";

// What is opened now and then is loaded when it is opened.
const loadConflict = () => import("./ConflictDialog").then((file) => ({ default: file.ConflictDialog }));
const loadKeys = () => import("./KeysDialog").then((file) => ({ default: file.KeysDialog }));
const loadPublish = () => import("./PublishDialog").then((file) => ({ default: file.PublishDialog }));
const loadInspector = () => import("@/canvas/inspector/Inspector").then((file) => ({ default: file.Inspector }));
const loadOutline = () => import("@/canvas/outline/Outline").then((file) => ({ default: file.Outline }));
const loadSettings = () => import("./WorkflowSettings").then((file) => ({ default: file.WorkflowSettings }));
const loadTest = () => import("./TestDialog").then((file) => ({ default: file.TestDialog }));
const loadRun = () => import("./RunDialog").then((file) => ({ default: file.RunDialog }));
const [ConflictDialog, KeysDialog] = [lazy(loadConflict), lazy(loadKeys)];
const [PublishDialog, RunDialog, TestDialog] = [lazy(loadPublish), lazy(loadRun), lazy(loadTest)];
const [Inspector, Outline, WorkflowSettings] = [lazy(loadInspector), lazy(loadOutline), lazy(loadSettings)];

/** Fetches what will be opened before anybody opens it, and never in the way of what is shown first. */
function preload() {
  for (const load of [loadInspector, preloadEditor, loadTest, loadOutline, loadSettings]) void load();
  for (const load of [loadPublish, loadKeys, loadRun, loadConflict]) void load();
}

type Workflow = NonNullable<ResultOf<typeof WorkflowQuery>["workflow"]>;

interface Props {
  store: CanvasStore;
  catalog: Catalog;
  role: string;
  workflow: Workflow;
  /** There is a new version. */
  onPublished: () => void;
}

type Open = "publish" | "run" | "keys" | "commands" | "conflicts" | { test: Part } | null;

/** Where a workflow is built: canvas or outline, inspector, problems, and what can be done with it. */
export function Builder({ store, catalog, role, workflow, onPublished }: Props) {
  const t = useT();
  const toast = useToasts((toasts) => toasts.show);
  const latest = workflow.latestVersion ?? null;
  const { name } = workflow;
  const project = workflow.project.slug;
  const mayEdit = roleMayEdit(role);
  const draft = useDraft(store, { id: workflow.id, project, name, draft: workflow.draft }, catalog, !mayEdit);
  const [overlay] = useState(createRunStore);
  const testing = useTest(store, overlay, workflow.id);
  const [open, setOpen] = useState<Open>(null);
  const [outline, setOutline] = useState(() => window.matchMedia("(max-width: 640px)").matches);
  const [showProblems, setShowProblems] = useState(false);
  const [showSettings, setShowSettings] = useState(false);
  const editing = useEditing();
  const inspected = useCanvas((state) => state.inspected);
  const problems = useCanvas(problemsOf).length;
  const [menu, setMenu] = useState<MenuPlace | null>(null);
  const showMenu = useCallback(
    (place: { x: number; y: number }, about: MenuPlace["about"]) => setMenu({ ...place, about }),
    [],
  );
  const isEmpty = useCanvas((state) => Object.keys(state.document.definition.nodes).length === 0);
  const announcement = useCanvas((state) => state.announcement);
  const stage = useRef<HTMLDivElement>(null);
  const isPublished = useCanvas((state) => latest !== null && same(state.document.definition, latest.definition));

  const { save } = draft;
  const pinNow = usePin(store, testing.runId);
  const lastRun = useMemo(
    () => ({
      runId: testing.runId,
      project,
      mayTest: mayEdit,
      mayManage: mayManage(role),
      test: (part: Part) => setOpen({ test: part }),
      hooks: hooksOf(workflow.triggerBindings),
    }),
    [testing.runId, project, mayEdit, role, workflow.triggerBindings],
  );
  // Whoever builds will write an expression soon.
  useEffect(preload, []);
  const outside = useMemo(
    () => ({
      save: () => void save(),
      toggleOutline: () => setOutline((shown) => !shown),
      settings: () => {
        store.getState().inspect(null);
        setShowSettings(true);
      },
      showKeys: () => setOpen("keys"),
      showCommands: () => setOpen("commands"),
      test: () => mayEdit && setOpen({ test: { what: "all" } }),
      testNode: (what: "to" | "only", node: string) => mayEdit && setOpen({ test: { what, node } }),
      pin: (key: string) => void pinNow(key),
    }),
    [save, store, mayEdit, pinNow],
  );
  const { act, center } = useKeys(editing, outside);

  useClipboard(stage, editing, center);

  const goTo = useCallback(
    ({ place }: PlacedProblem) => {
      const id = place.node ?? place.edge;
      if (id === undefined) return;
      store.getState().select([id]);
      if (place.node) store.getState().inspect(place.node);
    },
    [store],
  );

  const commands = useMemo(
    () =>
      [...new Map(BINDINGS.map((binding) => [binding.action, binding])).values()]
        .filter(({ action }) => action !== "palette" && action !== "leave")
        .map((binding) => ({
          id: binding.action,
          title: t(`key.${binding.action}` as MessageKey),
          hint: written(binding),
        })),
    [t],
  );

  const main = outline ? (
    <Suspense fallback={null}>
      <Outline
        onAdd={() => editing.ask({ what: "add", place: center() })}
        onAddAfter={(from) => editing.ask({ what: "addAfter", from })}
        onConnect={(key) => editing.ask({ what: "connect", key })}
      />
    </Suspense>
  ) : (
    <div className="relative h-full">
      <Canvas
        onConnect={editing.join}
        onDropped={(from, place) => editing.ask({ what: "addAfter", from, place })}
        onInsert={(edge) => editing.ask({ what: "insert", edge })}
        {...(mayEdit ? { onMenu: showMenu } : {})}
      />
      {isEmpty && draft.saving.state !== "opening" ? (
        <div className="pointer-events-none absolute inset-0 flex flex-col items-center justify-center gap-3">
          <p className="font-semibold text-section">{t("builder.empty")}</p>
          <p className="text-soft">{t("builder.empty.help")}</p>
          <Button
            look="primary"
            className="pointer-events-auto"
            onClick={() => editing.ask({ what: "add", place: center() })}
          >
            {t("action.addTrigger")}
          </Button>
        </div>
      ) : null}
    </div>
  );

  const side = inspected ? (
    <Inspector id={inspected} />
  ) : showSettings ? (
    <WorkflowSettings key={workflow.id} workflow={workflow} onClose={() => setShowSettings(false)} />
  ) : null;

  return (
    <OverlayProvider value={overlay}>
      <LastRunProvider value={lastRun}>
        <div className="flex h-full min-h-0 flex-col">
          <BuilderHeader
            project={project}
            name={name}
            workflow={workflow}
            saving={draft.saving}
            problems={problems}
            outline={outline}
            mayEdit={mayEdit}
            mayRun={role !== "VIEWER"}
            isPublished={isPublished}
            act={act}
            onOutline={outside.toggleOutline}
            onProblems={() => setShowProblems((shown) => !shown)}
            onSettings={() => outside.settings()}
            onPublish={() => setOpen("publish")}
            onTest={() => setOpen({ test: { what: "all" } })}
            onRun={() => setOpen("run")}
            onDiscard={() => void draft.discard(t("did.discard")).then((refused) => refused && toast(refused))}
          />
          {draft.conflicts.length > 0 ? (
            <div role="alert" className="flex flex-wrap items-center gap-3 border-line border-b bg-raised px-3 py-2">
              <span className="flex-1">{t("draft.conflicts", { count: draft.conflicts.length })}</span>
              <Button onClick={() => setOpen("conflicts")}>{t("draft.showDifference")}</Button>
            </div>
          ) : null}
          <div ref={stage} className="min-h-0 flex-1">
            <Split side={side ? <Suspense fallback={null}>{side}</Suspense> : null} label={t("inspector.resize")}>
              <div data-canvas-keys className="h-full">
                {main}
              </div>
            </Split>
          </div>
          <TestBar testing={testing} onAgain={() => setOpen({ test: testing.started?.wish.part ?? { what: "all" } })} />
          {showProblems ? <ProblemsPanel onGo={goTo} onClose={() => setShowProblems(false)} /> : null}
          <p role="status" aria-live="polite" className="sr-only">
            {announcement}
          </p>
          {editing.dialog}
          <Suspense fallback={null}>
            {open === "publish" ? (
              <PublishDialog
                name={name}
                draftId={workflow.draft.id}
                latest={latest}
                environments={workflow.project.environments}
                save={save}
                onClose={() => setOpen(null)}
                onPublished={(version, environment) => {
                  onPublished();
                  setOpen(null);
                  toast(t(environment ? "publish.done" : "publish.kept", { number: version.number }));
                }}
              />
            ) : null}
            {open === "run" && latest ? (
              <RunDialog
                version={latest}
                project={workflow.project.slug}
                triggers={workflow.triggers}
                onClose={() => setOpen(null)}
              />
            ) : null}
            {open === "conflicts" && draft.conflicts.length > 0 ? (
              <ConflictDialog conflicts={draft.conflicts} onSettled={draft.settled} onClose={() => setOpen(null)} />
            ) : null}
            {typeof open === "object" && open !== null ? (
              <TestDialog
                workflowId={workflow.id}
                project={workflow.project.slug}
                part={open.test}
                testing={testing}
                onClose={() => setOpen(null)}
              />
            ) : null}
            {open === "keys" ? <KeysDialog onClose={() => setOpen(null)} /> : null}
          </Suspense>
          {menu ? (
            <ActionMenu place={menu} title={t(`menu.${menu.about}`)} onChoose={act} onClose={() => setMenu(null)} />
          ) : null}
          {open === "commands" ? (
            <Palette
              title={t("palette.commands")}
              choices={commands}
              onClose={() => setOpen(null)}
              onChoose={(id) => act(id as Action)}
            />
          ) : null}
        </div>
      </LastRunProvider>
    </OverlayProvider>
  );
}

/** Copies, cuts and pastes by the browser's own events, which need no permission. */
function useClipboard(
  stage: React.RefObject<HTMLDivElement | null>,
  editing: ReturnType<typeof useEditing>,
  center: () => { x: number; y: number },
) {
  const latest = useRef({ editing, center });
  latest.current = { editing, center };
  useEffect(() => {
    const isOurs = () => {
      const active = document.activeElement;
      if (active?.closest("input, textarea, select, [contenteditable=true], dialog")) return false;
      // After a click on the empty canvas nothing has the focus.
      return active === document.body || Boolean(stage.current?.contains(active));
    };
    const onCopy = (event: ClipboardEvent) => {
      if (!isOurs() || !window.getSelection()?.isCollapsed) return;
      event.clipboardData?.setData("text/plain", latest.current.editing.copied());
      event.preventDefault();
      if (event.type === "cut") latest.current.editing.remove();
    };
    const onPaste = (event: ClipboardEvent) => {
      if (!isOurs()) return;
      const text = event.clipboardData?.getData("text/plain") ?? "";
      if (latest.current.editing.pasteText(text, latest.current.center())) event.preventDefault();
    };
    document.addEventListener("copy", onCopy);
    document.addEventListener("cut", onCopy);
    document.addEventListener("paste", onPaste);
    return () => {
      document.removeEventListener("copy", onCopy);
      document.removeEventListener("cut", onCopy);
      document.removeEventListener("paste", onPaste);
    };
  }, [stage]);
}
