import {
  Ban,
  ChevronsRight,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CirclePause,
  CircleX,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  OctagonX,
  RotateCw,
  TimerOff,
  Undo2,
} from "lucide-react";
import { type MessageKey, useT } from "@/i18n";

/** What a run or a node run is doing, as the server says it. */
export type Status =
  | "QUEUED"
  | "RUNNING"
  | "WAITING"
  | "PAUSED"
  | "SUCCEEDED"
  | "FAILED"
  | "CANCELED"
  | "TIMED_OUT"
  | "PENDING"
  | "RETRYING"
  | "UNCERTAIN"
  | "SKIPPED"
  | "COMPENSATING"
  | "COMPENSATED";

interface Look {
  icon: LucideIcon;
  color: string;
  turns?: boolean;
}

// Shape, color and word all say it: nobody has to see colors.
const looks: Record<Status, Look> = {
  PENDING: { icon: CircleDashed, color: "text-queued" },
  QUEUED: { icon: CircleDashed, color: "text-queued" },
  RUNNING: { icon: LoaderCircle, color: "text-running", turns: true },
  RETRYING: { icon: RotateCw, color: "text-running" },
  COMPENSATING: { icon: Undo2, color: "text-running" },
  WAITING: { icon: Hourglass, color: "text-waiting" },
  PAUSED: { icon: CirclePause, color: "text-waiting" },
  UNCERTAIN: { icon: CircleHelp, color: "text-waiting" },
  SUCCEEDED: { icon: CircleCheck, color: "text-succeeded" },
  COMPENSATED: { icon: Undo2, color: "text-succeeded" },
  FAILED: { icon: OctagonX, color: "text-failed" },
  TIMED_OUT: { icon: TimerOff, color: "text-failed" },
  CANCELED: { icon: Ban, color: "text-queued" },
  SKIPPED: { icon: ChevronsRight, color: "text-queued" },
};

const unknown: Look = { icon: CircleX, color: "text-queued" };

/** The picture of a status. */
export function StatusIcon({ status, size = 16 }: { status: Status; size?: number }) {
  const { icon: Icon, color, turns } = looks[status] ?? unknown;
  return <Icon size={size} aria-hidden className={`shrink-0 ${color} ${turns ? "animate-spin" : ""}`} />;
}

/** The word for a status. */
export function useStatusWord(): (status: Status) => string {
  const t = useT();
  return (status) => (status in looks ? t(`status.${status}` as MessageKey) : status);
}

/** Picture and word of a status. */
export function StatusBadge({ status }: { status: Status }) {
  const word = useStatusWord();
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <StatusIcon status={status} />
      <span className={looks[status]?.color}>{word(status)}</span>
    </span>
  );
}
