/** The id of a node run: its run, and `node` or `node[item]`. */
export function nodeRunId(runId: string, nodeKey: string): string {
  const [, node = nodeKey, item] = /^([^[]+)\[(.+)\]$/.exec(nodeKey) ?? [];
  return `nrun_${runId.replace(/^run_/, "")}.${node}${item === undefined ? "" : `.${item}`}`;
}
