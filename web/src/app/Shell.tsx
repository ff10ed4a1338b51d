import { Braces, KeyRound, ListTree, LogOut, Moon, PlayCircle, Sun, SunMoon } from "lucide-react";
import { Suspense } from "react";
import { NavLink, Outlet, useMatch } from "react-router";
import { useQuery } from "urql";
import { graphql } from "@/gql";
import { useT } from "@/i18n";
import { IconButton } from "@/ui/Button";
import { useSession } from "./session";
import { type Theme, useSettings } from "./settings";

const ViewerQuery = graphql(`
  query Viewer {
    viewer { name role workspace { id name slug } }
  }
`);

const themes: readonly Theme[] = ["system", "light", "dark"];

/** What surrounds every page: where one can go, who one is, and how it looks. */
export function Shell() {
  const t = useT();
  const [{ data }] = useQuery({ query: ViewerQuery });
  // A drawing wants the room that a list does not need.
  const drawing = [useMatch("/workflows/:project/:name/*"), useMatch("/runs/:id")].some(Boolean);
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
        </nav>
        <div className="flex flex-col items-center gap-1 p-2 group-not-data-slim/bar:xl:items-stretch max-sm:flex-row max-sm:p-0">
          {data ? (
            <p className="px-2 text-small text-soft group-data-slim/bar:hidden max-xl:hidden">
              <span className="block truncate text-text">{data.viewer.workspace.name}</span>
              <span className="block truncate">
                {data.viewer.name} · {t(`role.${data.viewer.role}`)}
              </span>
            </p>
          ) : null}
          <Preferences />
        </div>
      </div>
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

function Preferences() {
  const t = useT();
  const { theme, language, set } = useSettings();
  const signOut = useSession((session) => session.signOut);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
  const Icon = { system: SunMoon, light: Sun, dark: Moon }[theme];
  return (
    <div className="flex flex-col items-center group-not-data-slim/bar:xl:flex-row max-sm:flex-row">
      <IconButton label={t("theme.now", { theme: t(`theme.${theme}`) })} onClick={() => set({ theme: next })}>
        <Icon size={18} aria-hidden />
      </IconButton>
      <IconButton
        label={t("language.switch")}
        lang={language === "en" ? "de" : "en"}
        onClick={() => set({ language: language === "en" ? "de" : "en" })}
      >
        <span className="font-medium text-small">{language.toUpperCase()}</span>
      </IconButton>
      <IconButton label={t("signOut")} onClick={() => void signOut()}>
        <LogOut size={18} aria-hidden />
      </IconButton>
    </div>
  );
}
