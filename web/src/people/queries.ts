import type { ResultOf } from "@graphql-typed-document-node/core";
import { graphql } from "@/gql";

export const MembersQuery = graphql(`
  query Members($after: String) {
    members(first: 50, after: $after) {
      nodes {
        id role roleName source createdBy createdAt viewerCanChange permissions
        projects { slug title }
        user { id name email lastSeenAt disabledAt }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type Member = ResultOf<typeof MembersQuery>["members"]["nodes"][number];

export const InvitationsQuery = graphql(`
  query Invitations($after: String) {
    invitations(first: 50, after: $after) {
      nodes { id email role createdBy createdAt expiresAt acceptedAt revokedAt projects { slug title } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type Invitation = ResultOf<typeof InvitationsQuery>["invitations"]["nodes"][number];

export const ServiceAccountsQuery = graphql(`
  query ServiceAccounts($after: String) {
    serviceAccounts(first: 50, after: $after) {
      nodes { id name role createdBy createdAt disabledAt projects { slug title } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type ServiceAccount = ResultOf<typeof ServiceAccountsQuery>["serviceAccounts"]["nodes"][number];

export const ApiKeysQuery = graphql(`
  query ApiKeys($after: String) {
    apiKeys(first: 100, after: $after) {
      nodes {
        id name shown role permissions serviceAccountId userId createdBy createdAt expiresAt lastUsedAt revokedAt
        successorId
        projects { slug title }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export type ApiKey = ResultOf<typeof ApiKeysQuery>["apiKeys"]["nodes"][number];

export const ProjectsQuery = graphql(`
  query ProjectsToChoose($after: String) {
    projects(first: 100, after: $after) {
      nodes { id slug title }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

export const RolesQuery = graphql(`
  query Roles {
    roles { key name isBuiltIn permissions viewerCanGrant }
    permissions { key description }
  }
`);

export type Role = ResultOf<typeof RolesQuery>["roles"][number];

export const InviteMemberMutation = graphql(`
  mutation InviteMember($input: InviteMemberInput!) {
    inviteMember(input: $input) { invitation { id } token userErrors { code message field } }
  }
`);

export const RevokeInvitationMutation = graphql(`
  mutation RevokeInvitation($input: RevokeInvitationInput!) {
    revokeInvitation(input: $input) { invitation { id revokedAt } userErrors { code message field } }
  }
`);

export const AcceptInvitationMutation = graphql(`
  mutation AcceptInvitation($input: AcceptInvitationInput!) {
    acceptInvitation(input: $input) { workspaceId userErrors { code message field } }
  }
`);

export const UpdateMemberMutation = graphql(`
  mutation UpdateMember($input: UpdateMemberInput!) {
    updateMember(input: $input) { member { id role roleName source permissions } userErrors { code message field } }
  }
`);

export const RemoveMemberMutation = graphql(`
  mutation RemoveMember($input: RemoveMemberInput!) {
    removeMember(input: $input) { removedId userErrors { code message field } }
  }
`);

export const CreateServiceAccountMutation = graphql(`
  mutation CreateServiceAccount($input: CreateServiceAccountInput!) {
    createServiceAccount(input: $input) { serviceAccount { id name } userErrors { code message field } }
  }
`);

export const UpdateServiceAccountMutation = graphql(`
  mutation UpdateServiceAccount($input: UpdateServiceAccountInput!) {
    updateServiceAccount(input: $input) { serviceAccount { id role } userErrors { code message field } }
  }
`);

export const DisableServiceAccountMutation = graphql(`
  mutation DisableServiceAccount($input: DisableServiceAccountInput!) {
    disableServiceAccount(input: $input) { serviceAccount { id disabledAt } userErrors { code message field } }
  }
`);

export const CreateRoleMutation = graphql(`
  mutation CreateRole($input: CreateRoleInput!) {
    createRole(input: $input) { role { key } userErrors { code message field } }
  }
`);

export const UpdateRoleMutation = graphql(`
  mutation UpdateRole($input: UpdateRoleInput!) {
    updateRole(input: $input) { role { key name permissions } userErrors { code message field } }
  }
`);

export const DeleteRoleMutation = graphql(`
  mutation DeleteRole($input: DeleteRoleInput!) {
    deleteRole(input: $input) { deletedId userErrors { code message field } }
  }
`);

export const CreateApiKeyMutation = graphql(`
  mutation CreateApiKey($input: CreateApiKeyInput!) {
    createApiKey(input: $input) { apiKey { id } secret userErrors { code message field } }
  }
`);

export const RotateApiKeyMutation = graphql(`
  mutation RotateApiKey($input: RotateApiKeyInput!) {
    rotateApiKey(input: $input) { apiKey { id } secret userErrors { code message field } }
  }
`);

export const RevokeApiKeyMutation = graphql(`
  mutation RevokeApiKey($input: RevokeApiKeyInput!) {
    revokeApiKey(input: $input) { apiKey { id revokedAt } userErrors { code message field } }
  }
`);

/** Who is asked: a guest, who is in no workspace, can be told nothing more. */
export const InvitedQuery = graphql(`
  query Invited {
    viewer { id name }
  }
`);
