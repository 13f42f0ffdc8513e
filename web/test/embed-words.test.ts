// Everything that is written from the schema of the element is what the schema says: else it is
// written anew, and this fails once.
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { manifest, reference, words } from "../embed/generate";

const here = (file: string) => path.resolve(import.meta.dirname, "../embed", file);

test.each([
  ["src/words.ts", words],
  ["REFERENCE.md", reference],
  ["custom-elements.json", manifest],
] as const)("%s is what the schema says", (file, write) => {
  const written = write();
  const kept = fs.existsSync(here(file)) ? fs.readFileSync(here(file), "utf8") : "";
  if (written !== kept) fs.writeFileSync(here(file), written);
  expect(kept === written, `${file} was stale and has been written anew: commit it`).toBe(true);
});
