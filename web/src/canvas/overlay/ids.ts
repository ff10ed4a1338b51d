/** The id of a node run: its run, key and item. */
export function nodeRunId(runId: string, nodeKey: string): string {
  return `nrun_${runId.replace(/^run_/, "")}.${nodeKey}`;
}
