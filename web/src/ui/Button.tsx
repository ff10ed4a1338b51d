import type { ButtonHTMLAttributes, ReactNode } from "react";

type Look = "primary" | "plain" | "quiet" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-accent text-on-accent border-accent hover:opacity-90",
  plain: "bg-surface text-text border-line hover:bg-raised",
  quiet: "bg-transparent text-text border-transparent hover:bg-raised",
  danger: "bg-surface text-failed border-failed hover:bg-raised",
};

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  icon?: ReactNode;
}

/** A button; it says a verb. */
export function Button({ look = "plain", icon, children, className = "", ...rest }: Props) {
  return (
    <button
      type="button"
      className={`inline-flex h-8 items-center justify-center gap-1.5 whitespace-nowrap rounded-md border px-3 font-medium disabled:opacity-60 max-sm:h-11 ${looks[look]} ${className}`}
      {...rest}
    >
      {icon}
      {children}
    </button>
  );
}

interface IconProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  /** What it does, for everybody who cannot see the picture, and as its tip. */
  label: string;
  children: ReactNode;
}

/** A button with a picture only. */
export function IconButton({ label, children, className = "", ...rest }: IconProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={`inline-flex size-8 shrink-0 items-center justify-center rounded-md text-soft hover:bg-raised hover:text-text disabled:opacity-40 aria-pressed:bg-accent-soft aria-pressed:text-accent max-sm:size-11 ${className}`}
      {...rest}
    >
      {children}
    </button>
  );
}
