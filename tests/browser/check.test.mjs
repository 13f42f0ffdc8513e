// After the session: people check their own words by a link of their own, and a reviewer takes the
// session away as a file. What was taken back is in no file of the server.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

import { eventually, story } from "./harness.mjs";

const HERS = "salamanterikukkula";

story("Alice corrects and deletes her own words, and the reviewer's file has what she left", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"], { consent: "on" });
  for (const it of [alice, bob]) await it.see("chat-toggle").click();
  for (const text of [`A ${HERS} by the market`, "A long tabel for all"]) {
    await alice.see("chat-field").fill(text);
    await alice.page.keyboard.press("Enter");
    await eventually("it is told", async () => (await bob.see("chat-post").last().innerText()).includes(text));
  }
  await bob.see("chat-field").fill("A bench");
  await bob.page.keyboard.press("Enter");
  await eventually("it is told", async () => (await alice.see("chat-post").count()) === 3);
  assert.ok(filesWith(server.data, HERS).length > 0, "the search finds what is there");

  await host.see("host-end").click();
  await host.see("host-end-confirm").click();
  await alice.see("goodbye").waitFor();
  const address = await alice.see("check-address").inputValue();
  await alice.page.goto(address);
  await alice.see("check").waitFor();
  await alice.picture(stage.screenshot("check"));
  assert.equal(await alice.see("check-line").count(), 2, "her own, and nobody else's");

  const line = (text) => alice.page.locator("[data-testid=check-line]", { hasText: text });
  await line("tabel").getByTestId("check-correct").click();
  await alice.see("check-draft").fill("A long table for all");
  await alice.see("check-save").click();
  await line("table for all").waitFor();
  await line(HERS).getByTestId("check-strike").click();
  await alice.see("check-sure").click();
  await eventually("it is gone", async () => (await alice.see("check-line").count()) === 1);
  await alice.see("check-approve").click();
  await alice.see("check-approved").waitFor();
  assert.deepEqual(filesWith(server.data, HERS), [], "in no file of the server");
  assert.deepEqual(filesWith(server.data, "tabel for"), []);

  const reviewer = await host.opensReview();
  await reviewer.see("export-open").click();
  await reviewer.see("export-format").selectOption("csv");
  await reviewer.see("export-pseudonyms").check();
  const [file] = await Promise.all([
    reviewer.page.waitForEvent("download"),
    reviewer.see("export-save").click(),
  ]);
  const csv = fs.readFileSync(await file.path(), "utf8");
  assert.match(file.suggestedFilename(), /^vuoro-\d{4}-\d\d-\d\d-[0-9a-z]{26}\.csv$/);
  assert.ok(csv.includes("A long table for all") && csv.includes("A bench"), csv);
  assert.ok(!csv.includes("Alice") && !csv.includes(HERS), csv);
  await reviewer.picture(stage.screenshot("exported"));
});

/** The files below `folder` in which the words stand. */
function filesWith(folder, words) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => path.join(it.parentPath ?? it.path, it.name))
    .filter((it) => fs.readFileSync(it).includes(words));
}
