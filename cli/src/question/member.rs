//! People, roles and invitations.

questions! {
    LIST = "query Members($after: String) { members(first: 100, after: $after) {
        nodes { id role roleName projects { slug } source createdAt user { id name email lastSeenAt } }
        pageInfo { hasNextPage endCursor } } }";
    UPDATE = "mutation UpdateMember($input: UpdateMemberInput!) { updateMember(input: $input) {
        member { id role roleName user { name } } userErrors { code message field } } }";
    REMOVE = "mutation RemoveMember($input: RemoveMemberInput!) { removeMember(input: $input) {
        removedId userErrors { code message field } } }";
    INVITE = "mutation InviteMember($input: InviteMemberInput!) { inviteMember(input: $input) {
        invitation { id email role projects { slug } expiresAt } token userErrors { code message field } } }";
    ROLES = "query Roles { roles { key name isBuiltIn permissions } }";
    CREATE_ROLE = "mutation CreateRole($input: CreateRoleInput!) { createRole(input: $input) {
        role { key name isBuiltIn permissions } userErrors { code message field } } }";
    DELETE_ROLE = "mutation DeleteRole($input: DeleteRoleInput!) { deleteRole(input: $input) {
        deletedId userErrors { code message field } } }";
}
