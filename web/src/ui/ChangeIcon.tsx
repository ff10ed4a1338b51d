import { Minus, Pencil, Plus } from "lucide-react";

const looks = {
  ADDED: { icon: Plus, color: "text-succeeded" },
  REMOVED: { icon: Minus, color: "text-failed" },
  CHANGED: { icon: Pencil, color: "text-waiting" },
} as const;

/** The picture of what happened to something. */
export function ChangeIcon({ change, label }: { change: keyof typeof looks; label: string }) {
  const { icon: Icon, color } = looks[change];
  return <Icon size={14} role="img" aria-label={label} className={`shrink-0 ${color}`} />;
}
