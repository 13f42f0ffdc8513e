// Whose words are written down is each person's own choice: at the door, and at any time after.
import assert from "node:assert/strict";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings, tellingWords, words } from "./help/recordings.mjs";
import { Reader } from "./help/server.mjs";

const { country, leisure, respectable, selfish } = recordings;

story("what somebody says who declined, or paused, is written nowhere; later words are", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await Promise.all([stage.person("Alice"), stage.person("Bob")]);
  await alice.joins(host.joinLink, { plain: true });
  await bob.joins(host.joinLink, { consent: "declined", plain: true });
  const notes = new Reader(host.reviewLink);
  await alice.seesConsent(bob, "declined");
  await bob.seesConsent(alice, "on");

  await isHeardSaying(bob, alice, leisure);
  await alice.says(country);
  await isWritten(bob, alice, country);
  await isNowhere([alice, bob], notes, leisure, [country]);
  stage.note(`Bob reads ${percent(country, await bob.wordsOf("Alice"))} % of Alice's words`);

  await alice.see("toggle-transcription").click();
  await bob.seesConsent(alice, "off-the-record");
  await host.person(alice).and(host.page.locator("[data-consent=off-the-record]")).waitFor();
  await isHeardSaying(alice, bob, respectable);

  await alice.see("toggle-transcription").click();
  await bob.seesConsent(alice, "on");
  await alice.says(selfish);
  await isWritten(bob, alice, selfish);
  await isNowhere([alice, bob], notes, respectable, [country, selfish]);

  const { hits } = await eventually("the notes have both", async () => {
    const found = await notes.search();
    return found.hits.some((it) => it.text.includes("selfish")) ? found : null;
  });
  assert.deepEqual([...new Set(hits.map((it) => it.name))], ["Alice"]);
  assert.equal((await notes.search({ participant: String(bob.number) })).total, 0);
});

story("nobody agrees by a slip: not by leaving the question open, not by one press", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice] = await stage.joining(host.joinLink, ["Alice"]);
  const bob = await stage.person("Bob");
  await bob.arrives(host.joinLink, { consent: null });
  await bob.see("join-submit").click();
  await bob.page.locator("[data-testid=join-consent][aria-invalid=true]").waitFor();
  assert.equal(await bob.see("room-name").count(), 0, "the question must be answered");
  await bob.see("join-consent-declined").check();
  await bob.see("join-submit").click();
  await bob.isInside();

  await bob.see("toggle-transcription").click();
  await bob.see("consent-agree").waitFor();
  await alice.seesConsent(bob, "declined");
  await bob.page.keyboard.press("Escape");
  await alice.seesConsent(bob, "declined");
  await bob.see("toggle-transcription").click();
  await bob.see("consent-agree").click();
  await alice.seesConsent(bob, "on");
});

/** Begins and stops to speak, as the other sees: the words had every chance to be written. */
async function isHeardSaying(speaker, listener, recording) {
  await speaker.says(recording);
  await listener.seesSpeaking(speaker, true);
  // Their sound goes on for the length of the recording; small pauses in it are no end.
  const energy = async () => (await listener.receives(speaker)).audio?.totalAudioEnergy ?? 0;
  let last = -1;
  const quiet = async () => {
    const now = await energy();
    const still = now - last < 1e-4;
    last = now;
    return still && (await listener.tile(speaker).getAttribute("data-speaking")) === "false";
  };
  await eventually(`${speaker.name} has said it`, quiet);
}

async function isWritten(viewer, speaker, recording) {
  // Whether they are written, not how well: on a busy machine an old recording loses a word or four.
  const enough = async () => recall(recording.words, await viewer.wordsOf(speaker.name)) >= 0.7;
  await eventually(`${viewer.name} reads what ${speaker.name} said`, enough, WORDS_WITHIN_S);
}

async function isNowhere(people, notes, recording, others) {
  const kept = (await notes.search()).hits;
  const shown = (await Promise.all(people.map((it) => it.captions()))).flat();
  const all = new Set([...kept, ...shown].flatMap((it) => words(it.text)));
  assert.deepEqual(tellingWords(recording, others).filter((it) => all.has(it)), []);
}

function percent(recording, text) {
  return Math.round(recall(recording.words, text) * 100);
}
