//! Files.

questions! {
    UPLOAD = "mutation CreateArtifactUpload($input: CreateArtifactUploadInput!) { createArtifactUpload(input: $input) {
        upload { artifactId token url headers { name value } expiresAt } userErrors { code message field } } }";
    COMPLETE = "mutation CompleteArtifactUpload($input: CompleteArtifactUploadInput!) {
        completeArtifactUpload(input: $input) {
            artifact { id name mediaType size sha256 createdAt expiresAt } userErrors { code message field } } }";
    LINK = "mutation CreateArtifactLink($input: CreateArtifactLinkInput!) { createArtifactLink(input: $input) {
        link { url expiresAt } userErrors { code message field } } }";
    GET = "query Artifact($id: ID!) { node(id: $id) { id ... on Artifact { name mediaType size sha256 contentPath } } }";
    OF_RUN = "query RunArtifacts($id: ID!, $after: String) { run(id: $id) { artifacts(first: 100, after: $after) {
        nodes { id name mediaType size sha256 node createdAt } pageInfo { hasNextPage endCursor } } } }";
}
