/** The only projects that somebody sees; nothing for all of the workspace. */
export type ProjectLimit = readonly { slug: string; title: string }[] | null | undefined;

/** The slugs of a limit, as changes name it. */
export function slugsOf(limit: ProjectLimit): string[] | null {
  return limit ? limit.map(({ slug }) => slug).sort() : null;
}

/** Whether two limits, by their slugs, are about the same projects. */
export function sameLimit(a: readonly string[] | null, b: readonly string[] | null): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && [...a].sort().join(" ") === [...b].sort().join(" ");
}

/** What both limits let through: a key of a service account sees what both may see. */
export function within(a: ProjectLimit, b: ProjectLimit): ProjectLimit {
  if (!a) return b ?? null;
  return b ? a.filter(({ slug }) => b.some((one) => one.slug === slug)) : a;
}

/** Permissions over the workspace as a whole, which nobody has who is limited to projects (docs/guides/access.md). */
export const OVER_THE_WHOLE: readonly string[] = [
  "project:manage",
  "quota:manage",
  "outgoing:manage",
  "member:manage",
  "key:manage",
  "audit:read",
  "workspace:manage",
  "workspace:own",
];

/** What of these permissions is left to somebody with this limit. */
export function underLimit(permissions: readonly string[], projects: readonly string[] | null): readonly string[] {
  return projects === null ? permissions : permissions.filter((word) => !OVER_THE_WHOLE.includes(word));
}
