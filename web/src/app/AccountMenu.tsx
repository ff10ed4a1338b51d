import { Check, CircleUserRound, LogOut, Moon, Sun, SunMoon } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useT } from "@/i18n";
import { chooseWorkspace, useSession } from "./session";
import { type Theme, useSettings } from "./settings";
import { useRoleWord, type Viewer } from "./viewer";

const themes = [
  ["system", SunMoon],
  ["light", Sun],
  ["dark", Moon],
] as const satisfies readonly (readonly [Theme, unknown])[];

interface Props {
  viewer: Viewer;
  workspaces: readonly { id: string; name: string; slug: string }[];
}

/** Who one is and where; the way to another workspace, to how pages look, and out. */
export function AccountMenu({ viewer, workspaces }: Props) {
  const t = useT();
  const word = useRoleWord();
  const id = useId();
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (event.target instanceof Node && !frame.current?.contains(event.target)) setOpen(false);
    };
    const leave = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      button.current?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    document.addEventListener("keydown", leave);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      document.removeEventListener("keydown", leave);
    };
  }, [open]);
  return (
    <div ref={frame} className="relative">
      <button
        ref={button}
        type="button"
        aria-expanded={open}
        aria-controls={id}
        title={t("account.menu")}
        onClick={() => setOpen(!open)}
        className="flex min-h-9 w-full items-center gap-2.5 rounded-md px-2.5 text-left text-soft text-small hover:bg-raised aria-expanded:bg-raised max-sm:min-h-11"
      >
        <CircleUserRound size={18} aria-hidden className="shrink-0" />
        <span className="min-w-0 group-data-slim/bar:hidden max-xl:hidden">
          <span className="block truncate text-text">{viewer.workspace.name}</span>
          <span className="block truncate">
            {viewer.name} · {word(viewer.roleName)}
          </span>
        </span>
        <span className="sr-only">{t("account.menu")}</span>
      </button>
      {open ? (
        <section
          id={id}
          aria-label={t("account.menu")}
          className="absolute bottom-0 left-full z-40 ml-2 w-72 rounded-lg border border-line bg-surface p-2 shadow-lg max-sm:top-full max-sm:right-0 max-sm:bottom-auto max-sm:left-auto max-sm:mt-1"
        >
          <p className="px-2 pt-1 font-semibold">{viewer.name}</p>
          <p className="px-2 pb-2 text-small text-soft">
            {word(viewer.roleName)} · {viewer.workspace.name}
          </p>
          {workspaces.length > 1 ? <Workspaces current={viewer.workspace.id} workspaces={workspaces} /> : null}
          <Preferences />
        </section>
      ) : null}
    </div>
  );
}

function Workspaces({ current, workspaces }: { current: string; workspaces: Props["workspaces"] }) {
  const t = useT();
  return (
    <Group title={t("account.workspaces")}>
      {workspaces.map(({ id, name, slug }) => (
        <Choice key={id} chosen={id === current} onClick={() => chooseWorkspace(id)}>
          <span className="min-w-0 flex-1">
            <span className="block truncate">{name}</span>
            {slug === name ? null : <span className="block truncate font-mono text-badge text-soft">{slug}</span>}
          </span>
        </Choice>
      ))}
    </Group>
  );
}

function Preferences() {
  const t = useT();
  const { theme, language, set } = useSettings();
  const signOut = useSession((session) => session.signOut);
  return (
    <>
      <Group title={t("account.theme")}>
        {themes.map(([name, Icon]) => (
          <Choice key={name} chosen={name === theme} onClick={() => set({ theme: name })}>
            <Icon size={16} aria-hidden />
            <span className="flex-1">{t(`theme.${name}`)}</span>
          </Choice>
        ))}
      </Group>
      <Group title={t("account.language")}>
        <Choice chosen={language === "en"} onClick={() => set({ language: "en" })}>
          <span lang="en" className="flex-1">
            English
          </span>
        </Choice>
        <Choice chosen={language === "de"} onClick={() => set({ language: "de" })}>
          <span lang="de" className="flex-1">
            Deutsch
          </span>
        </Choice>
      </Group>
      <div className="mt-1 border-line border-t pt-1">
        <button type="button" onClick={() => void signOut()} className={item}>
          <LogOut size={16} aria-hidden />
          {t("signOut")}
        </button>
      </div>
    </>
  );
}

const item = "flex min-h-8 w-full items-center gap-2 rounded-md px-2 text-left hover:bg-raised max-sm:min-h-11";

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="mt-1 border-line border-t pt-1">
      <legend className="sr-only">{title}</legend>
      <p aria-hidden className="px-2 py-0.5 text-badge text-soft">
        {title}
      </p>
      {children}
    </fieldset>
  );
}

function Choice({ chosen, onClick, children }: { chosen: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" aria-pressed={chosen} onClick={onClick} className={item}>
      {children}
      {chosen ? <Check size={16} aria-hidden className="text-accent" /> : null}
    </button>
  );
}
