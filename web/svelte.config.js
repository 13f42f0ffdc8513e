// How Svelte compiles: runes everywhere, CSS in files. It never injects styles into the page, because
// the content security policy refuses them.
import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true, css: "external" },
};
