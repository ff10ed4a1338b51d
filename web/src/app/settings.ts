import { create } from "zustand";
import { persist } from "zustand/middleware";

const KEPT_AS = "flowforge.settings";

/** How the pages look: as the system says, or always one way. */
export type Theme = "system" | "light" | "dark";
/** The languages that the pages speak. */
export type Language = "en" | "de";

interface Settings {
  theme: Theme;
  language: Language;
  /** Whether single letters do something while the canvas has the focus (WCAG 2.1.4 wants a way to switch that off). */
  letterKeys: boolean;
  /** How wide the panel beside a drawing is, once somebody has said so. */
  panelWidth: number | null;
  set: (changes: Partial<Pick<Settings, "theme" | "language" | "letterKeys" | "panelWidth">>) => void;
}

/** What this person wants of the pages, kept in this browser. */
export const useSettings = create<Settings>()(
  persist(
    (set) => ({
      theme: "system",
      language: navigator.language.toLowerCase().startsWith("de") ? "de" : "en",
      letterKeys: true,
      panelWidth: null,
      set: (changes) => set(changes),
    }),
    { name: KEPT_AS },
  ),
);

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Puts theme and language on the page, now and whenever they change. */
export function applySettings(): void {
  const apply = () => {
    const { theme, language } = useSettings.getState();
    const root = document.documentElement;
    root.dataset.theme = theme === "system" ? (dark.matches ? "dark" : "light") : theme;
    root.lang = language;
  };
  apply();
  useSettings.subscribe(apply);
  dark.addEventListener("change", apply);
  // What is chosen in one tab holds in all of them.
  window.addEventListener("storage", ({ key }) => {
    if (key === KEPT_AS) void useSettings.persist.rehydrate();
  });
}
