// The whole thing: three people talk, words stand beside names, and a move changes who hears whom
// without a new connection.
import assert from "node:assert/strict";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings, tellingWords, words } from "./help/recordings.mjs";

const RECALL_MIN = 0.85;

story("three people see, hear and read each other, and a move changes who does", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const people = await stage.joining(host.joinLink, ["Alice", "Bob", "Chao"]);
  const [alice, bob, chao] = people;
  const said = new Map([
    [alice, recordings.selfish],
    [bob, recordings.leisure],
    [chao, recordings.respectable],
  ]);

  for (const viewer of people) {
    for (const other of people.filter((it) => it !== viewer)) await viewer.hearsAndSees(other);
  }

  const begun = Date.now();
  await Promise.all(people.map((it) => it.says(said.get(it))));
  await Promise.all(people.flatMap((viewer) => people.map((it) => viewer.seesSpeaking(it, true))));
  for (const viewer of people) {
    for (const speaker of people) await readsTheWords(stage, viewer, speaker, said.get(speaker).words);
  }
  stage.note(`words of three at once, all read by all after ${Math.round((Date.now() - begun) / 1000)} s`);
  for (const viewer of people) {
    await hasHeardVoices(viewer, people);
    for (const speaker of people) await readsNobodyElsesWords(viewer, speaker, said);
    await viewer.sees("balance");
  }

  const review = await host.opensReview();
  const found = await review.finds("selfish");
  assert.deepEqual([...new Set(found.map((it) => it.name))], ["Alice"]);
  assert.ok(found.every((it) => it.marked.every((word) => words(word).join() === "selfish")));

  await host.opensRooms(2);
  const before = await slotsOf(chao, [alice, bob]);
  await host.moves(chao, "room-1");
  await chao.isIn("room-1");
  await silent(before);
  const quiet = await counts(before);
  await chao.says(recordings.youngMan);
  await readsTheWords(stage, chao, chao, recordings.youngMan.words, 0.6);
  assert.deepEqual(await counts(before), quiet, "not one packet of Chao's to those he has left");
  for (const viewer of [alice, bob]) {
    assert.equal((await viewer.receives(chao)).audio, null);
    await readsNothingOf(viewer, recordings.youngMan, said);
  }
  const apart = await review.finds("young", { room: "room-1" });
  assert.deepEqual(apart.map((it) => [it.name, it.room]), apart.map(() => ["Chao", "room-1"]));

  await host.moves(bob, "room-1");
  await bob.isIn("room-1");
  await bob.hearsAndSees(chao);
  await chao.hearsAndSees(bob);
  await chao.says(recordings.amiable);
  await readsTheWords(stage, bob, chao, recordings.amiable.words, 0.6);
  assert.ok(!(await alice.wordsOf("Chao")).includes("himself"));

  for (const it of people) {
    assert.equal(await it.negotiations(), 1, `${it.name} has negotiated once`);
    const offers = (await it.messages()).filter((message) => message.type === "offer");
    assert.equal(offers.length, 1, `${it.name} was offered one connection`);
    assert.deepEqual(it.complaints, []);
  }
});

async function readsTheWords(stage, viewer, speaker, reference, least = RECALL_MIN) {
  let part = 0;
  const enough = async () => {
    part = recall(reference, await viewer.wordsOf(speaker.name));
    return part >= least;
  };
  const what = () => `${viewer.name} reads ${Math.round(part * 100)} % of ${speaker.name}'s words`;
  await eventually(`${viewer.name} reads what ${speaker.name} said`, enough, WORDS_WITHIN_S).catch((error) => {
    throw new Error(`${error.message}; ${what()}`);
  });
  stage.note(what());
}

async function readsNobodyElsesWords(viewer, speaker, said) {
  const text = words(await viewer.wordsOf(speaker.name));
  for (const [other, recording] of said) {
    if (other === speaker) continue;
    const strange = tellingWords(recording, [said.get(speaker)]).filter((it) => text.includes(it));
    assert.deepEqual(strange, [], `${other.name}'s words beside ${speaker.name}, as ${viewer.name} reads`);
  }
}

/** Packets alone may be silence: those who spoke must have been audible. */
async function hasHeardVoices(viewer, people) {
  for (const other of people.filter((it) => it !== viewer)) {
    const { audio } = await viewer.receives(other);
    assert.ok(audio.totalAudioEnergy > 0.001, `${viewer.name} heard ${other.name}: ${audio.totalAudioEnergy}`);
  }
}

async function readsNothingOf(viewer, recording, said) {
  const all = (await viewer.captions()).flatMap((it) => words(it.text));
  const strange = tellingWords(recording, [...said.values()]).filter((it) => all.includes(it));
  assert.deepEqual(strange, [], `${viewer.name} reads what was said in another room`);
}

/** The lines on which somebody's sound and picture come in, for each of the listeners. */
async function slotsOf(speaker, listeners) {
  const slots = [];
  for (const listener of listeners) {
    const { audio, video } = await listener.receives(speaker);
    slots.push({ listener, mids: [audio.mid, video.mid] });
  }
  return slots;
}

async function counts(slots) {
  const all = [];
  for (const { listener, mids } of slots) {
    const { inbound } = await listener.stats();
    all.push(mids.map((mid) => inbound.find((it) => it.mid === mid)?.packetsReceived ?? 0));
  }
  return all;
}

async function silent(slots) {
  let last = null;
  const same = async () => {
    const now = JSON.stringify(await counts(slots));
    const still = now === last;
    last = now;
    return still;
  };
  await eventually("the lines of somebody who has left fall silent", same);
}
