import { Suspense } from "react";
import { Navigate, NavLink, Outlet } from "react-router";
import { Allowed } from "@/app/Allowed";
import { SECTIONS } from "@/app/sections";
import { useViewer } from "@/app/viewer";
import { useT } from "@/i18n";

/** What surrounds the pages about the workspace: the ways to those that the viewer may see. */
export default function SettingsPage() {
  const t = useT();
  const { may } = useViewer();
  return (
    <>
      <nav
        aria-label={t("nav.settings")}
        className="sticky top-0 z-10 flex gap-1 overflow-x-auto border-line border-b bg-surface px-3 [scrollbar-width:none]"
      >
        {SECTIONS.filter(({ permission }) => may(permission)).map(({ path }) => (
          <NavLink
            key={path}
            to={path}
            className={({ isActive }) =>
              `flex h-10 shrink-0 items-center border-b-2 px-2 max-sm:h-11 ${isActive ? "border-accent font-medium" : "border-transparent text-soft hover:text-text"}`
            }
          >
            {t(`settings.page.${path}`)}
          </NavLink>
        ))}
      </nav>
      <Suspense
        fallback={
          <p role="status" className="p-6 text-soft">
            {t("loading")}
          </p>
        }
      >
        <Outlet />
      </Suspense>
    </>
  );
}

/** The first of these pages that the viewer may see. */
export function FirstSection() {
  const { may } = useViewer();
  const first = SECTIONS.find(({ permission }) => may(permission));
  return first ? <Navigate to={first.path} replace /> : <Allowed to={SECTIONS[0].permission}>{null}</Allowed>;
}
