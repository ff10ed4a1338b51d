/** The pages about the workspace, each with the permission that it takes. */
export const SECTIONS = [
  { path: "members", permission: "member:read" },
  { path: "roles", permission: "member:read" },
  { path: "access", permission: "member:read" },
  { path: "keys", permission: "key:manage" },
  { path: "audit", permission: "audit:read" },
] as const;
