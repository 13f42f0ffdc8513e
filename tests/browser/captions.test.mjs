// Words on their way: two people speak at once and each is read with the right name, what is still being
// said stands before its final words and goes when its speaker withdraws, the host reads along and the
// room knows, and readers keep the look they have chosen.
import assert from "node:assert/strict";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings, tellingWords, words } from "./help/recordings.mjs";

const RECALL_MIN = 0.8;

story("two speak at once, and both are read with the right name, first in part and then whole", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"]);
  await alice.hearsAndSees(bob);
  await bob.hearsAndSees(alice);

  // The host reads along, and both know before a word is said.
  await host.room("main").getByTestId("host-follow").click();
  await host.sees("host-reading");
  for (const it of [alice, bob]) await it.sees("followed");

  const said = new Map([
    [alice, recordings.selfish],
    [bob, recordings.leisure],
  ]);
  const stood = eventually("a partial stands on Bob's page", () => partialsOf(bob).then((it) => it[0]), WORDS_WITHIN_S);
  await Promise.all([alice.says(recordings.selfish), bob.says(recordings.leisure)]);
  stage.note(`on Bob's page stood in part: "${(await stood).text}"`);

  for (const viewer of [alice, bob, host]) {
    for (const [speaker, recording] of said) {
      await readsTheWords(stage, viewer, speaker, recording);
      const other = [...said.values()].find((it) => it !== recording);
      const strange = tellingWords(other, [recording]);
      const text = words(await wordsOf(viewer, speaker.name));
      assert.deepEqual(strange.filter((it) => text.includes(it)), [], `other words beside ${speaker.name}`);
    }
  }
  for (const viewer of [alice, bob]) {
    for (const speaker of [alice, bob]) {
      const told = (await viewer.messages()).filter((it) => it.participant === speaker.number && it.text !== "");
      const first = told.find((it) => it.type === "caption" || it.type === "partial");
      assert.equal(first?.type, "partial", `${viewer.name} reads ${speaker.name} in part first`);
    }
  }
  await eventually("no partial stands when all has been said", async () => (await partialsOf(bob)).length === 0);
  await eventually("nor on the host's page", async () => (await partialsOf(host)).length === 0);

  // What was kept is the final words, under the right names.
  const review = await host.opensReview();
  for (const [word, name] of [
    ["selfish", "Alice"],
    ["prudently", "Bob"],
  ]) {
    const found = await review.finds(word);
    assert.deepEqual([...new Set(found.map((it) => it.name))], [name]);
  }

  await host.see("host-reading-stop").click();
  for (const it of [alice, bob]) await it.see("followed").waitFor({ state: "detached" });
  for (const it of [alice, bob]) assert.deepEqual(it.complaints, []);
});

story("two who leave their language to the ear are each written down in their own, and may change it", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = [await stage.person("Alice"), await stage.person("Bob")];
  // Each page speaks the other's language, so that the first guess is wrong for both.
  await alice.joins(host.joinLink, { language: "by-ear", page: "fi" });
  await bob.joins(host.joinLink, { language: "by-ear", page: "en" });
  const heard = (person) => person.see("heard-as").getAttribute("data-language");
  assert.deepEqual([await heard(alice), await heard(bob)], ["fi", "en"]);
  await alice.hearsAndSees(bob);
  await Promise.all([alice.says(recordings.selfish), bob.says(recordings.library)]);

  for (const viewer of [alice, bob]) {
    await readsTheWords(stage, viewer, alice, recordings.selfish);
    await readsTheWords(stage, viewer, bob, recordings.library, 0.5);
    for (const [speaker, language] of [[alice, "en"], [bob, "fi"]]) {
      const of = (await viewer.captions()).filter((it) => it.name === speaker.name);
      assert.deepEqual([...new Set(of.map((it) => it.language))], [language], `${speaker.name} by ${viewer.name}`);
    }
  }
  assert.deepEqual([await heard(alice), await heard(bob)], ["en", "fi"]);
  await alice.picture(stage.screenshot("heard-as"));

  // It is remembered, and what she says herself is so.
  await alice.page.reload();
  await alice.see("join-submit").click();
  await alice.isInside();
  await eventually("it is remembered", async () => (await heard(alice)) === "en");
  await alice.see("heard-as-change").click();
  await alice.see("heard-as-language").selectOption("sv");
  await alice.see("settings").click();
  await alice.see("heard-as").waitFor({ state: "detached" });
  assert.equal(await alice.see("spoken-language").inputValue(), "sv");
  await alice.picture(stage.screenshot("spoken-language"));
  for (const it of [alice, bob]) assert.deepEqual(it.complaints, []);
});

story("who pauses takes back what they are saying", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"]);
  await bob.hearsAndSees(alice);
  const stands = async () => (await partialsOf(bob)).find((it) => it.participant === alice.number);
  const stood = eventually("a partial of Alice stands on Bob's page", stands, WORDS_WITHIN_S);
  await alice.says(recordings.leisure, recordings.respectable);
  await stood;
  await alice.see("toggle-transcription").click();
  await bob.seesConsent(alice, "off-the-record");
  await eventually("it stands no more", async () => !(await stands()));
  const before = (await bob.captions()).length;
  await bob.seesSpeaking(alice, false);
  assert.equal((await bob.captions()).length, before, "nothing more of it is written");
  assert.ok(!(await stands()));
});

story("readers choose how captions look, and keep it", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice] = await stage.joining(host.joinLink, ["Alice"]);
  const view = alice.page.locator("[data-testid=captions] .view");
  const look = () => view.evaluate((it) => {
    const { fontSize, color, backgroundColor } = getComputedStyle(it);
    return { size: Number.parseFloat(fontSize), color, backgroundColor };
  });
  const before = await look();
  await alice.see("caption-look").click();
  await alice.see("caption-size-largest").check();
  await alice.see("caption-colours-yellow").check();
  await alice.see("caption-place-below").click();
  await alice.page.locator("[data-testid=caption-place-below]:checked:focus").waitFor();
  const chosen = await look();
  assert.ok(chosen.size > 2 * before.size, `${before.size} and then ${chosen.size}`);
  assert.deepEqual([chosen.color, chosen.backgroundColor], ["rgb(255, 233, 74)", "rgb(0, 0, 0)"]);
  assert.equal(await alice.page.locator(".left [data-testid=captions]").count(), 1);

  // Read aloud only when the person wants, and final words only.
  const log = alice.page.locator("[data-testid=captions] [role=log]");
  assert.equal(await log.getAttribute("aria-live"), "off");
  await alice.see("captions-aloud").check();
  assert.equal(await log.getAttribute("aria-live"), "polite");
  const beside = alice.page.locator("[data-testid=captions] .view > [aria-live=off]");
  assert.equal(await beside.count(), 1, "what is still being said has a place that is never read aloud");

  await alice.page.reload();
  await alice.see("join-submit").click();
  await alice.isInside();
  assert.deepEqual(await look(), chosen);
});

/** What stands in part on somebody's page now. */
function partialsOf(viewer) {
  return viewer.see("partial").evaluateAll((all) =>
    all.map((it) => ({
      participant: Number(it.dataset.participant),
      text: it.querySelector("[data-testid=partial-text]").textContent,
    })),
  );
}

/** Of final words, also on the host's page. */
function wordsOf(viewer, name) {
  return viewer.see("caption").evaluateAll(
    (all, name) =>
      all
        .filter((it) => it.querySelector("[data-testid=caption-name]").textContent === name)
        .map((it) => it.querySelector("[data-testid=caption-text]").textContent)
        .join(" "),
    name,
  );
}

async function readsTheWords(stage, viewer, speaker, recording, least = RECALL_MIN) {
  let part = 0;
  const enough = async () => {
    part = recall(recording.words, await wordsOf(viewer, speaker.name));
    return part >= least;
  };
  const what = () => `${viewer.name} reads ${Math.round(part * 100)} % of ${speaker.name}'s words`;
  await eventually(`${viewer.name} reads what ${speaker.name} said`, enough, WORDS_WITHIN_S).catch((error) => {
    throw new Error(`${error.message}; ${what()}`);
  });
  stage.note(what());
}
