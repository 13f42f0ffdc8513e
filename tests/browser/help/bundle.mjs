// One module of the pages as a script, for a page of its own: to try in a real browser what needs no
// server. It never writes a file.
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const WEB = fileURLToPath(new URL("../../../web/", import.meta.url));

/** What `file` of `web/src` exports, as `window[name]` once the script has run. */
export async function bundle(file, name) {
  const vite = createRequire(path.join(WEB, "package.json")).resolve("vite");
  const { build } = await import(pathToFileURL(vite).href);
  const made = await build({
    root: WEB,
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      minify: false,
      lib: { entry: path.join(WEB, "src", file), name, formats: ["iife"], fileName: name },
    },
  });
  const [{ output }] = [made].flat();
  return output[0].code;
}
