import {
  ArrowDownUp,
  Box,
  CalendarClock,
  CircleAlert,
  Clock,
  Filter,
  GitBranch,
  Globe,
  type LucideIcon,
  Merge,
  PencilLine,
  Play,
  Repeat,
  Reply,
  Sigma,
  Split,
  Webhook,
} from "lucide-react";

// The server names pictures of the Lucide set; only those that its own types use are shipped.
const icons: Record<string, LucideIcon> = {
  "arrow-down-up": ArrowDownUp,
  "calendar-clock": CalendarClock,
  "circle-alert": CircleAlert,
  "circle-x": CircleAlert,
  clock: Clock,
  filter: Filter,
  "git-branch": GitBranch,
  globe: Globe,
  hourglass: Clock,
  merge: Merge,
  "git-merge": Merge,
  pencil: PencilLine,
  "pencil-line": PencilLine,
  play: Play,
  repeat: Repeat,
  reply: Reply,
  sigma: Sigma,
  split: Split,
  webhook: Webhook,
};

/** The picture of this name. */
export function iconOf(name: string | undefined): LucideIcon {
  return (name === undefined ? undefined : icons[name]) ?? Box;
}
