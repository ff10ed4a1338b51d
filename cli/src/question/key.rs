//! API keys.

questions! {
    LIST = "query ApiKeys($after: String) { apiKeys(first: 100, after: $after) {
        nodes { id name shown role permissions serviceAccountId userId createdAt expiresAt lastUsedAt revokedAt successorId }
        pageInfo { hasNextPage endCursor } } }";
    ROTATE = "mutation RotateApiKey($input: RotateApiKeyInput!) { rotateApiKey(input: $input) {
        apiKey { id name role expiresAt } secret userErrors { code message field } } }";
    REVOKE = "mutation RevokeApiKey($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) {
        apiKey { id name revokedAt } userErrors { code message field } } }";
}
