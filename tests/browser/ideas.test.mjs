// The chain from one person to all, in six real browsers: people write alone, talk in their rooms and mark
// what is said there, combine and choose, vote together; and next day a reviewer finds what won, with all that
// it came from, and what was said, collects it, comments on it and takes it along.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings } from "./help/recordings.mjs";

/** Minutes of each phase; people who are ready, and the host, go on before. */
const MINUTES = { own: 3, pair: 8, wall: 0.4, vote: 4, cluster: 3 };
/** What part of a sentence comes out as text at the least. */
const RECALL_MIN = 0.6;
const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };

story("six people write, talk, mark, combine and vote; next day a reviewer finds, collects and exports", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const six = await stage.joining(host.joinLink, ["Alice", "Bob", "Chao", "Dana", "Eero"], { consent: "on", camera: false });
  const fatima = await stage.person("Fatima");
  await fatima.joins(host.joinLink, { consent: "declined", camera: false });
  six.push(fatima);
  const [alice, bob] = six;
  await alice.page.setViewportSize(PHONE);
  await bob.page.setViewportSize(LAPTOP);
  await host.starts("tuplatiimi", MINUTES, "What makes a good school yard?");

  for (const it of six) await it.isInPhase("own");
  for (const it of six) await writes(it, `${it.name} wants a tree`);
  await writes(alice, "A bnch");
  await alice.see("idea-edit").last().click();
  await alice.see("idea-edited").fill("A bench");
  await alice.page.keyboard.press("Enter");
  await alice.see("idea").filter({ hasText: "A bench" }).waitFor();
  assert.equal(await alice.see("idea").count(), 2, "her own, and nobody else's");
  // The line is lost and comes back: what was written is there.
  await bob.page.reload();
  await bob.see("join-submit").click();
  await bob.isInside();
  await bob.see("idea").filter({ hasText: "Bob wants a tree" }).waitFor();
  for (const it of six) await it.see("ready").click();

  for (const it of six) await it.isInPhase("pair");
  const rooms = new Map();
  for (const it of six) {
    const room = await it.sees("room-name", "room");
    rooms.set(room, [...(rooms.get(room) ?? []), it]);
  }
  const roomOf = (person) => [...rooms].find(([, people]) => people.includes(person))[0];
  assert.ok(rooms.size >= 2 && !rooms.has("main"), "in their rooms");
  const together = rooms.get(await alice.sees("room-name", "room"));
  const friend = together.find((it) => it !== alice);
  const here = together.length + 1;
  await eventually("all there see all that was brought", async () => (await friend.see("idea").count()) === here);
  // In each room one talks, and who listens marks it with one tap.
  const talks = [...rooms.values()].map((people) => people.toSorted((a, b) => six.indexOf(a) - six.indexOf(b)));
  const sentences = [recordings.youngMan, recordings.amiable, recordings.selfish];
  await Promise.all(talks.map(([talker], at) => talker.says(sentences[at])));
  for (const [at, [talker, listener]] of talks.entries()) {
    const read = async () => recall(sentences[at].words, await listener.wordsOf(talker.name)) >= RECALL_MIN;
    await eventually(`${listener.name} reads ${talker.name}`, read, WORDS_WITHIN_S);
    const mark = listener.see("mark-idea").last();
    await mark.click();
    await eventually("it is marked", async () => (await mark.getAttribute("aria-pressed")) === "true");
  }
  // By the keyboard alone.
  for (const text of ["A bench", "Alice wants a tree"]) {
    const tick = alice.see("idea").filter({ hasText: text }).getByTestId("idea-tick");
    await tick.focus();
    await alice.page.keyboard.press("Space");
  }
  await alice.see("idea-combined").fill("Trees with benches under them");
  await alice.see("idea-combined").focus();
  await alice.page.keyboard.press("Enter");
  const ours = friend.see("idea").filter({ hasText: "Trees with benches under them" });
  await ours.waitFor();
  await eventually("the two are one", async () => (await friend.see("idea").count()) === here - 1);
  await ours.getByTestId("idea-choose").click();
  await eventually("all there see it", async () => (await alice.see("ideas-chosen").innerText()).startsWith("1 "));
  for (const [, people] of rooms) {
    if (people.includes(alice)) continue;
    await people[0].see("idea").first().getByTestId("idea-choose").click();
    await people[0].page.locator("[data-testid=idea][data-chosen=true]").first().waitFor();
  }
  await host.see("run-next-now").click();

  for (const it of six) await it.isInPhase("wall");
  for (const it of six) assert.equal(await it.see("chosen-idea").count(), rooms.size, "one of each room");
  await host.see("run-next-now").click();

  for (const it of six) await it.isInPhase("vote");
  const idea = (who, text) => who.see("chosen-idea").filter({ has: who.page.getByText(text, { exact: true }) });
  for (const it of six) await idea(it, "Trees with benches under them").getByTestId("vote-1").click();
  await eventually("Alice has four left", async () => (await alice.sees("votes-left", "left")) === "4");
  assert.equal(await alice.see("vote-1").first().getAttribute("aria-pressed") !== null, true);
  assert.equal(await alice.page.locator("[data-testid=chosen-idea] .votes").count(), 0, "hidden");
  const voted = async () => (await host.sees("voters", "voters")) === "6";
  await eventually("the host sees them come", voted);
  assert.equal(await idea(host, "Trees with benches under them").getAttribute("data-votes"), "6");
  for (const it of six) await it.see("ready").click();

  for (const it of six) await it.isInPhase("cluster");
  const first = bob.see("chosen-idea").first();
  assert.match(await first.innerText(), /Trees with benches under them/);
  assert.equal(await first.getAttribute("data-votes"), "6");
  await first.locator("summary").click();
  assert.match(await first.innerText(), /Came from 2 ideas[\s\S]*A bench[\s\S]*Alice/);
  await host.see("idea-group-name").first().fill("Green yards");
  await host.page.keyboard.press("Enter");
  await bob.see("idea-group").filter({ hasText: "Green yards" }).waitFor();
  // Alice takes words of hers back; what came of them stays.
  const hers = alice.see("chosen-idea").first();
  await hers.locator("summary").click();
  await hers.getByLabel(/Take my words back: Alice wants a tree/).click();
  await eventually("nobody reads them", async () => !(await bob.see("idea-votes").innerText()).includes("Alice wants a tree"));
  await eventually("they are in no file", async () => filesWith(server.data, "Alice wants a tree").length === 0);
  await host.see("host-end").click();
  await host.see("host-end-confirm").click();
  for (const it of six) await it.see("pilot").waitFor();
  for (const [at, it] of [alice, bob, fatima].entries()) {
    for (const question of ["heard", "clear", "fresh"]) await it.see(`pilot-${question}-${at ? "yes" : "mostly"}`).check();
    if (it === bob) await bob.see("pilot-line").fill("More time to combine");
    await it.see("pilot-send").click();
    await it.see("pilot-thanks").waitFor();
  }

  // Next day, on a server that has been started anew: only what is on the disk is left.
  await server.stop();
  await server.start();
  const reviewer = await host.opensReview();
  await reviewer.see("view-ideas").click();
  const won = reviewer.see("chosen-idea").first();
  assert.match(await won.innerText(), /Trees with benches under them[\s\S]*6 votes[\s\S]*A bench[\s\S]*Alice/);
  assert.doesNotMatch(await reviewer.see("review-ideas").innerText(), /Fatima(?! wants)/, "she has not agreed");
  await reviewer.see("view-pilots").click();
  assert.match(await reviewer.see("review-pilots").innerText(), /3 answers[\s\S]*Yes 2 · Mostly 1/);
  await reviewer.see("view-lines").click();
  const [spoken] = await reviewer.finds("young ");
  const [speaker, marker] = talks[0];
  assert.deepEqual([spoken.name, spoken.room], [speaker.name, roomOf(speaker)]);
  await reviewer.see("facet-marks").getByText("Idea", { exact: true }).click();
  await eventually(`what ${marker.name} has marked is left`, async () => (await reviewer.sees("review-count", "count")) === "1");
  assert.match(await reviewer.see("review-hit").innerText(), /Idea 1/);
  await reviewer.finds("benches ");
  await reviewer.see("review-hit").first().focus();
  await reviewer.page.keyboard.press("Enter");
  await reviewer.see("moment-theme").fill("School yard");
  await reviewer.see("moment-collect").click();
  await eventually("it is collected", async () => (await reviewer.see("board-theme").count()) === 1);
  await reviewer.see("comment-name").fill("Dana of the board");
  await reviewer.see("comment-text").fill("Let us ask the gardener");
  await reviewer.see("comment-send").click();
  await reviewer.see("comment").waitFor();
  await reviewer.see("moment-close").click();
  await reviewer.see("view-meetings").click();
  const met = [...rooms.values()].reduce((sum, { length }) => sum + (length * (length - 1)) / 2, 0);
  assert.equal(await reviewer.sees("review-meetings", "met"), String(met), "in the pairs of one round");
  assert.equal(await reviewer.see("meetings-person").getByText("Fatima").count(), 0, "counted under a code");
  await reviewer.see("export-open").click();
  await reviewer.see("export-format").selectOption("md");
  const [file] = await Promise.all([reviewer.page.waitForEvent("download"), reviewer.see("export-save").click()]);
  const markdown = fs.readFileSync(await file.path(), "utf8");
  const tree = /- Green yards\n {2}- Trees with benches under them \(6.votes, Room \d\)\n {4}- .* \(Alice\)\n {4}- A bench \(Alice\)\n/;
  assert.match(markdown, tree);
  assert.match(markdown, /School yard[\s\S]*Trees with benches under them[\s\S]*Dana of the board\): Let us ask the gardener/);
  assert.match(markdown, /How the method worked[\s\S]*yes 2, mostly 1[\s\S]*More time to combine/);
  await reviewer.page.keyboard.press("Escape");
  await reviewer.see("to-library").click();
  await reviewer.see("library-session").waitFor();
  assert.match(await reviewer.see("library-session").innerText(), /What makes a good school yard\?[\s\S]*School yard/);
});

/** The files below `folder` in which the words stand. */
function filesWith(folder, words) {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => path.join(it.parentPath ?? it.path, it.name))
    .filter((it) => fs.readFileSync(it).includes(words));
}

async function writes(person, text) {
  await person.see("idea-text").fill(text);
  await person.page.keyboard.press("Enter");
  await person.see("idea").filter({ hasText: text }).waitFor();
}
