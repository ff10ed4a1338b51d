declare module "*.flow.yaml" {
  const file: {
    metadata: { name: string; title: string; description?: string };
    definition: { nodes: Record<string, { type: string; name?: string }>; [field: string]: unknown };
  };
  export default file;
}
