// Builds the pages into `dist/` and runs the pure-logic tests. It never fetches anything: every font
// and script is served by the Vuoro server itself, under a content security policy of 'self'.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const server = "http://localhost:8080";

export default defineConfig({
  base: "/",
  plugins: [svelte()],
  build: {
    outDir: "dist",
    target: "es2022",
    // The policy allows neither inline scripts nor data: fonts, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/api": server,
      "/ws": { target: server, ws: true },
    },
  },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
