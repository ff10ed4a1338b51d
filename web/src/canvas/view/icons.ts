import {
  ArrowDownAZ,
  Box,
  CalendarClock,
  CircleX,
  Clock,
  CopyMinus,
  Database,
  Filter,
  Globe,
  Layers,
  ListTree,
  type LucideIcon,
  Mail,
  Merge,
  PencilLine,
  Play,
  Reply,
  ScrollText,
  Sigma,
  Split,
  Type,
  Waypoints,
  Webhook,
} from "lucide-react";

// The server names pictures of the Lucide set; only those that its own types use are shipped.
const icons: Record<string, LucideIcon> = {
  "arrow-down-a-z": ArrowDownAZ,
  "calendar-clock": CalendarClock,
  "circle-x": CircleX,
  clock: Clock,
  "copy-minus": CopyMinus,
  database: Database,
  filter: Filter,
  globe: Globe,
  layers: Layers,
  "list-tree": ListTree,
  mail: Mail,
  merge: Merge,
  pencil: PencilLine,
  play: Play,
  reply: Reply,
  "scroll-text": ScrollText,
  sigma: Sigma,
  split: Split,
  type: Type,
  waypoints: Waypoints,
  webhook: Webhook,
};

/** The picture of this name. */
export function iconOf(name: string | undefined): LucideIcon {
  return (name === undefined ? undefined : icons[name]) ?? Box;
}
