// Builds the element: `dist/embed.js` for a plain script tag, served by every Vuoro server, and the
// module of the npm package. Neither has a dependency.
import { resolve } from "node:path";
import { defineConfig } from "vite";

const entry = resolve(import.meta.dirname, "src/element.ts");
const script = process.env["VUORO_EMBED"] !== "module";

export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    emptyOutDir: false,
    outDir: resolve(import.meta.dirname, script ? "../dist" : "dist"),
    lib: script
      ? { entry, formats: ["iife"], name: "Vuoro", fileName: () => "embed.js" }
      : { entry, formats: ["es"], fileName: () => "vuoro-session.js" },
  },
});
