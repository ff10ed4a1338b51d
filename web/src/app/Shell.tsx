import { Braces, KeyRound, ListTree, PlayCircle, Settings } from "lucide-react";
import { Suspense, useEffect } from "react";
import { Navigate, NavLink, Outlet, useMatch } from "react-router";
import { useWorkspaceEvents } from "@/api/follow";
import { useT } from "@/i18n";
import { AccountMenu } from "./AccountMenu";
import { SECTIONS } from "./sections";
import { BY_COOKIE, stayIn, useSession } from "./session";
import { useFreshViewer, useViewer } from "./viewer";

/** What surrounds every page: where one can go, who one is, and how it looks. */
export function Shell() {
  const t = useT();
  const { viewer, workspaces, may, isGuest, again } = useViewer();
  useFreshViewer(again);
  const byCookie = useSession((session) => session.key) === BY_COOKIE;
  const workspace = viewer?.workspace.id;
  useEffect(() => {
    if (byCookie && workspace !== undefined) stayIn(workspace, workspaces.length);
  }, [byCookie, workspace, workspaces.length]);
  // A drawing wants the room that a list does not need.
  const drawing = [useMatch("/workflows/:project/:name/*"), useMatch("/runs/:id")].some(Boolean);
  const invited = useMatch("/invitation");
  // For somebody who is in no workspace there is nothing else.
  if (isGuest && !invited) return <Navigate to="/invitation" replace />;
  return (
    <div className="flex h-full max-sm:flex-col">
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-surface focus:p-2">
        {t("nav.skip")}
      </a>
      <div
        data-slim={drawing || undefined}
        className="group/bar flex w-14 shrink-0 flex-col border-line border-r bg-surface not-data-slim:xl:w-52 max-sm:w-full max-sm:flex-row max-sm:items-center max-sm:border-r-0 max-sm:border-b"
      >
        <p className="flex h-12 shrink-0 items-center gap-2 px-3.5 max-sm:hidden">
          <img src="/favicon.svg" alt="" width={24} height={24} />
          <span className="font-semibold text-section group-data-slim/bar:sr-only max-xl:sr-only">FlowForge</span>
        </p>
        <nav
          aria-label={t("nav.main")}
          hidden={isGuest}
          className="flex flex-1 flex-col gap-1 p-2 max-sm:flex-row max-sm:gap-0 max-sm:p-1"
        >
          <Item to="/workflows" text={t("nav.workflows")}>
            <ListTree size={18} aria-hidden />
          </Item>
          <Item to="/runs" text={t("nav.runs")}>
            <PlayCircle size={18} aria-hidden />
          </Item>
          <Item to="/connections" text={t("nav.connections")}>
            <KeyRound size={18} aria-hidden />
          </Item>
          <Item to="/variables" text={t("nav.variables")}>
            <Braces size={18} aria-hidden />
          </Item>
          {SECTIONS.some(({ permission }) => may(permission)) ? (
            <Item to="/settings" text={t("nav.settings")}>
              <Settings size={18} aria-hidden />
            </Item>
          ) : null}
        </nav>
        <div className="p-2 max-sm:p-1">{viewer ? <AccountMenu viewer={viewer} workspaces={workspaces} /> : null}</div>
      </div>
      {viewer ? <Follow onChange={again} /> : null}
      <main id="main" tabIndex={-1} className="min-h-0 min-w-0 flex-1 overflow-auto">
        <Suspense
          fallback={
            <p role="status" className="p-6 text-soft">
              {t("loading")}
            </p>
          }
        >
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}

/** Keeps something open: the server ends it with the rights that it was opened by, and so every page learns of that. */
function Follow({ onChange }: { onChange: () => void }) {
  useWorkspaceEvents(["workspace.*"], onChange);
  return null;
}

function Item({ to, text, children }: { to: string; text: string; children: React.ReactNode }) {
  return (
    <NavLink
      to={to}
      title={text}
      className={({ isActive }) =>
        `flex h-9 items-center gap-2.5 rounded-md px-2.5 max-sm:h-11 ${isActive ? "bg-accent-soft font-medium text-accent" : "text-soft hover:bg-raised"}`
      }
    >
      {children}
      <span className="group-data-slim/bar:sr-only max-xl:sr-only">{text}</span>
    </NavLink>
  );
}
