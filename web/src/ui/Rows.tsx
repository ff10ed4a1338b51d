import type { ReactNode } from "react";

/** A list of things, one below the other; on narrow pages the parts of each stand below one another too. */
export function Rows({ label, children }: { label: string; children: ReactNode }) {
  return (
    <ul aria-label={label} className="divide-y divide-line rounded-lg border border-line bg-surface">
      {children}
    </ul>
  );
}

interface RowProps {
  label: string;
  /** Something that is over. */
  faint?: boolean;
  actions?: ReactNode;
  children: ReactNode;
}

/** One thing of a list: up to three parts and what can be done with it. */
export function Row({ label, faint = false, actions, children }: RowProps) {
  return (
    <li
      aria-label={label}
      className={`flex items-center gap-x-4 gap-y-2 px-3 py-2 max-md:flex-col max-md:items-stretch ${faint ? "bg-page" : ""}`}
    >
      <div className="grid min-w-0 flex-1 grid-cols-[minmax(0,5fr)_minmax(0,4fr)_minmax(0,4fr)] items-center gap-x-4 gap-y-1 max-md:grid-cols-1">
        {children}
      </div>
      <div className="flex w-52 shrink-0 flex-wrap justify-end gap-2 max-md:w-auto max-md:justify-start empty:max-md:hidden">
        {actions}
      </div>
    </li>
  );
}

/** A small word that says of what kind something is. */
export function Tag({ children, tone = "plain" }: { children: ReactNode; tone?: "plain" | "warn" | "bad" | "good" }) {
  const tones = {
    plain: "border-line text-soft",
    warn: "border-waiting text-waiting",
    bad: "border-failed text-failed",
    good: "border-succeeded text-succeeded",
  };
  return <span className={`whitespace-nowrap rounded-full border px-2 text-badge ${tones[tone]}`}>{children}</span>;
}
