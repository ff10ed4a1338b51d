import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { parse } from "yaml";

/** Where the development server finds FlowForge. */
const server = process.env.FLOWFORGE_URL ?? "http://127.0.0.1:8080";

/**
 * The server lets a socket in only when the page's origin is its own, so the origin is rewritten. The built pages are
 * served by FlowForge itself and need none of this.
 */
const toServer = { target: server, changeOrigin: true, headers: { origin: server } };
const proxy = {
  "/graphql": { ...toServer, ws: true },
  "/session": toServer,
  "/auth": toServer,
  "/api": toServer,
  "/hooks": toServer,
};

/** The examples are written in YAML, for people; the pages get them as they are sent to the server. */
const examples: Plugin = {
  name: "flow-yaml",
  transform: (text, id) =>
    id.endsWith(".flow.yaml") ? { code: `export default ${JSON.stringify(parse(text))}`, map: null } : undefined,
};

export default defineConfig({
  plugins: [react(), tailwindcss(), examples],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  server: { host: "127.0.0.1", port: 5173, proxy, fs: { allow: [".", "../examples"] } },
  preview: { host: "127.0.0.1", port: 4173, proxy },
  build: { target: "es2023", manifest: true, sourcemap: false, chunkSizeWarningLimit: 1600, assetsInlineLimit: 0 },
});
