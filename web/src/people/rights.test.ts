import { describe, expect, test } from "vitest";
import type { ApiKey, Member, ServiceAccount } from "./queries";
import { holdersOf, keyState, rightsOf, subjectsOf } from "./rights";
import { stateOf } from "./state";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const BEFORE = "2026-11-22T11:00:00Z";
const AFTER = "2026-11-22T13:00:00Z";

const key = (changes: Partial<ApiKey>): ApiKey => ({
  id: "key_1",
  name: "deploys",
  shown: "ff_default_ab",
  role: "viewer",
  permissions: null,
  serviceAccountId: null,
  userId: null,
  createdBy: "command",
  createdAt: BEFORE,
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
  successorId: null,
  projects: null,
  ...changes,
});
const account: ServiceAccount = {
  id: "svc_1",
  name: "robot",
  role: "operator",
  createdBy: "usr_1",
  createdAt: BEFORE,
  disabledAt: null,
  projects: null,
};
const member: Member = {
  id: "mbr_1",
  role: "editor",
  roleName: "editor",
  source: "PROVIDER",
  createdBy: "usr_1",
  createdAt: BEFORE,
  viewerCanChange: true,
  permissions: ["read"],
  projects: null,
  user: { id: "usr_1", name: "Ada", email: null, lastSeenAt: null, disabledAt: null },
};

describe("the rights of somebody", () => {
  const all = ["read", "run:start", "audit:read"];

  test("are those of the role, each with where it comes from", () => {
    expect(rightsOf({ only: null, projects: null }, ["read", "run:start"], all)).toEqual([
      { permission: "read", isGiven: true, reason: "role" },
      { permission: "run:start", isGiven: true, reason: "role" },
      { permission: "audit:read", isGiven: false, reason: "not" },
    ]);
  });

  test("are fewer when a key was narrowed, and never more than its role allows", () => {
    const rights = rightsOf({ only: ["read", "audit:read"], projects: null }, ["read", "run:start"], all);
    expect(rights.map(({ isGiven, reason }) => [isGiven, reason])).toEqual([
      [true, "role"],
      [false, "narrowed"],
      [false, "not"],
    ]);
  });
});

test("whoever is limited to projects has nothing over the workspace as a whole", () => {
  const limited = { only: null, projects: [{ slug: "billing", title: "Billing" }] };
  const rights = rightsOf(limited, ["read", "audit:read"], ["read", "audit:read", "key:manage"]);
  expect(rights.map(({ isGiven, reason }) => [isGiven, reason])).toEqual([
    [true, "role"],
    [false, "limited"],
    [false, "not"],
  ]);
});

test("a key of a service account sees what both may see", () => {
  const [billing, shipping] = [
    { slug: "billing", title: "Billing" },
    { slug: "shipping", title: "Shipping" },
  ];
  const limited = { ...account, projects: [billing, shipping] };
  const of = (projects: ApiKey["projects"]) =>
    subjectsOf([], [limited], [key({ serviceAccountId: "svc_1", projects })], NOW)[1]?.projects;
  expect([of(null), of([shipping])]).toEqual([[billing, shipping], [shipping]]);
});

test("a service account's key may do what the account may, whatever stands at the key", () => {
  const [, , subject] = subjectsOf([member], [account], [key({ serviceAccountId: "svc_1", role: "viewer" })], NOW);
  expect(subject).toMatchObject({ kind: "key", role: "operator", source: "ACCOUNT", ended: false });
});

test("a key of a disabled account is over, and a browser's session is nobody of its own", () => {
  const disabled = { ...account, disabledAt: BEFORE };
  const subjects = subjectsOf([], [disabled], [key({ serviceAccountId: "svc_1" }), key({ userId: "usr_1" })], NOW);
  expect(subjects.map(({ kind, ended }) => [kind, ended])).toEqual([
    ["account", true],
    ["key", true],
  ]);
});

test("whoever has a role is a holder of it, and a key of an account is not one beside the account", () => {
  const subjects = subjectsOf(
    [member],
    [account],
    [key({ serviceAccountId: "svc_1" }), key({ role: "operator" })],
    NOW,
  );
  expect(holdersOf("operator", subjects).map(({ kind }) => kind)).toEqual(["account", "key"]);
  expect(holdersOf("editor", subjects).map(({ name }) => name)).toEqual(["Ada"]);
});

test("a key is revoked, over, rotated or works, in this order", () => {
  expect(keyState(key({}), NOW)).toBe("works");
  expect(keyState(key({ expiresAt: AFTER }), NOW)).toBe("works");
  expect(keyState(key({ expiresAt: AFTER, successorId: "key_2" }), NOW)).toBe("rotated");
  expect(keyState(key({ expiresAt: BEFORE, successorId: "key_2" }), NOW)).toBe("over");
  expect(keyState(key({ expiresAt: BEFORE, revokedAt: BEFORE }), NOW)).toBe("revoked");
});

test("an invitation waits until it is accepted, revoked or over", () => {
  expect(stateOf({ expiresAt: AFTER }, NOW)).toBe("open");
  expect(stateOf({ expiresAt: BEFORE }, NOW)).toBe("over");
  expect(stateOf({ expiresAt: BEFORE, acceptedAt: BEFORE }, NOW)).toBe("accepted");
  expect(stateOf({ expiresAt: AFTER, revokedAt: BEFORE }, NOW)).toBe("revoked");
});
