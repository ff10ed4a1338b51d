import type { Status } from "@/ui/StatusBadge";
import type { RunState } from "./runState";

const FINAL: readonly Status[] = ["SUCCEEDED", "FAILED", "CANCELED", "TIMED_OUT"];

/** Whether a run in this status has ended. */
export function isFinal(status: string | null | undefined): boolean {
  return FINAL.includes(status as Status);
}

/** What a run is doing. Events do not say that a run waits; its nodes do. */
export function statusOf(run: RunState): Status | null {
  if (run.status !== "RUNNING") return run.status;
  const waits = [...run.nodes.values()].some(({ status }) => status === "WAITING" || status === "UNCERTAIN");
  return waits ? "WAITING" : run.status;
}
