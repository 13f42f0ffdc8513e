// A reviewer finds what was written in the rooms in any form of its words, reads around it, collects it on
// a board that stays, finds who said the same elsewhere, and takes all of it away as a PDF.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

import { eventually, story } from "./harness.mjs";

story("what was written is found in any form, read in its room, collected, and taken away", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const people = await stage.joining(host.joinLink, ["Alice", "Bob"], { consent: "on", language: "fi" });
  const [alice, bob] = people;
  await host.opensRooms(2);
  await host.moves(alice, "room-1");
  await host.moves(bob, "room-2");
  await writes(alice, "Bussit eivät kulje iltaisin kylille.");
  await writes(bob, "Iltaisin ei kulje bussi meidän kylälle.");
  await writes(bob, "Lähipalvelut pitäisi säilyttää.");

  const reader = await host.opensReview();
  const [first] = await reader.finds("palveluista ");
  assert.deepEqual([first.name, first.room, first.marked], ["Bob", "room-2", ["Lähipalvelut"]]);
  const both = await reader.finds("kylä ");
  assert.equal(both.length, 2);
  const slip = await reader.finds("bsusit ");
  assert.equal(slip[0].name, "Alice");

  // By the keyboard alone.
  await reader.see("review-hit").first().focus();
  await reader.page.keyboard.press("Enter");
  await reader.see("review-moment").waitFor();
  const alike = reader.see("moment-alike");
  await alike.first().waitFor();
  assert.match(await alike.first().innerText(), /Iltaisin ei kulje bussi/);
  await reader.see("moment-theme").fill("Liikkuminen");
  await reader.page.keyboard.press("Enter");
  await eventually("it is collected", async () => (await reader.see("review-moment").innerText()).includes("Liikkuminen"));
  await reader.see("moment-close").click();

  await reader.page.reload();
  await reader.see("view-board").click();
  const theme = reader.see("board-theme").filter({ hasText: "Liikkuminen" });
  await theme.waitFor();
  assert.match(await theme.innerText(), /Bussit eivät kulje iltaisin kylille/);

  await reader.see("export-open").click();
  await reader.see("export-format").selectOption({ label: "For print and screen readers (PDF)" });
  await reader.picture(stage.screenshot("export-menu"));
  const [file] = await Promise.all([reader.page.waitForEvent("download"), reader.see("export-save").click()]);
  assert.match(file.suggestedFilename(), /\.pdf$/);
  await reader.page.getByText(file.suggestedFilename()).waitFor();
  const pdf = stage.path("taken.pdf");
  await file.saveAs(pdf);
  readsAsPdf(stage, pdf, ["Lähipalvelut pitäisi säilyttää.", "Iltaisin ei kulje bussi meidän kylälle.", "Liikkuminen"]);
});

/** What poppler says of it, which is not ours; `scripts/test` brings it, and where it cannot be had this is left out. */
function readsAsPdf(stage, file, lines) {
  const about = spawnSync("pdfinfo", [file], { encoding: "utf8" });
  if (about.error) return stage.note("poppler is not here: the PDF is not read");
  assert.match(about.stdout, /^Tagged: +yes$/m, about.stderr);
  const text = spawnSync("pdftotext", [file, "-"], { encoding: "utf8" }).stdout.replace(/\s+/g, " ");
  for (const line of lines) assert.ok(text.includes(line), `${line} in ${text}`);
}

async function writes(person, text) {
  if (!(await person.see("chat").isVisible())) await person.see("chat-toggle").click();
  await person.see("chat-field").fill(text);
  await person.page.keyboard.press("Enter");
  const sent = person.see("chat-post").filter({ hasText: text });
  await sent.waitFor();
}
