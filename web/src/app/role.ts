/** Built-in roles that may change workflows. A role of the workspace's own counts as the mightiest that it contains. */
const EDITORS: readonly string[] = ["OWNER", "ADMIN", "EDITOR"];
/** Built-in roles that may change connections. */
const ADMINS: readonly string[] = ["OWNER", "ADMIN"];

/** Built-in roles that may start and stop runs. */
const OPERATORS: readonly string[] = [...EDITORS, "OPERATOR"];

/** Whether somebody of this role may start and stop runs. */
export function mayOperate(role: string | undefined): boolean {
  return role !== undefined && OPERATORS.includes(role);
}

/** Whether somebody of this role may change workflows. */
export function mayEdit(role: string | undefined): boolean {
  return role !== undefined && EDITORS.includes(role);
}

/** Whether somebody of this role may change connections. */
export function mayManage(role: string | undefined): boolean {
  return role !== undefined && ADMINS.includes(role);
}
