import type { CodegenConfig } from "@graphql-codegen/cli";

/** Types for every query in `src`, from the schema that the server prints. */
const config: CodegenConfig = {
  schema: process.env.FLOWFORGE_SCHEMA ?? "../schema.graphql",
  documents: ["src/**/*.{ts,tsx}", "!src/gql/**"],
  generates: {
    "./src/gql/": {
      preset: "client",
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        scalars: { JSON: "unknown", DateTime: "string", ID: "string" },
      },
    },
  },
};

export default config;
