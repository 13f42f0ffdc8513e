// What is said off the record is kept nowhere, however the person, the room or the host asks for it, and
// what somebody takes back is gone from every screen and from every byte of the notes.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings, tellingWords, words } from "./help/recordings.mjs";
import { Reader } from "./help/server.mjs";

const { amiable, leisure, respectable, selfish } = recordings;
/** Each of four people pauses so often, in the middle of a sentence. */
const PAUSES_EACH = 5;
/** Said after the pause, whenever in the first seconds of the sentence it comes. */
const AFTER = ["prudently", "power"];

story("of twenty pauses in the middle of a sentence not one word is kept", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const people = await Promise.all(["Alice", "Bob", "Chao", "Dana"].map((it) => stage.person(it)));
  const effects = new Effects(people);
  for (const it of people) await it.joins(host.joinLink, { camera: false });
  const notes = new Reader(host.reviewLink);
  // All at once, as on a real evening: nobody waits with a pause until others have finished theirs.
  await Promise.all(people.map((it, index) => pauses(it, people[(index + 1) % people.length], effects)));

  const [alice, bob] = people;
  await alice.says(selfish);
  await isRead(bob, alice, selfish);
  const { hits } = await eventually("the notes have Alice's sentence", async () => {
    const found = await notes.search();
    return found.hits.some((it) => it.text.includes("selfish")) ? found : null;
  });
  const shown = (await Promise.all(people.map((it) => it.captions()))).flat();
  const kept = [...hits, ...shown].flatMap((it) => words(it.text)).filter((it) => AFTER.includes(it));
  assert.equal(effects.taken_ms.length, PAUSES_EACH * people.length);
  assert.deepEqual(kept, []);
  stage.note(`words kept of ${effects.taken_ms.length} pauses: ${kept.length}`);
  stage.note(`from the press to the room being told, by which time nothing is decoded: ${effects}`);
}, 900);

story("who takes back the last minute has it gone from every screen and from the notes", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"], { camera: false });
  const notes = new Reader(host.reviewLink);
  await alice.says(selfish);
  await isRead(bob, alice, selfish);
  await bob.says(amiable);
  await isRead(alice, bob, amiable);
  const found = (of) => notes.search().then(({ hits }) => hits.filter((it) => it.name === of.name));
  await eventually("the notes have both", async () => (await found(alice)).length * (await found(bob)).length > 0);
  assert.ok(lies(server.data, "selfish").length > 0, "the words can be looked for");

  await alice.see("strike").click();
  await bob.see("struck").waitFor();
  assert.equal(await bob.wordsOf("Alice"), "");
  assert.ok(recall(amiable.words, await bob.wordsOf("Bob")) > 0.5, "what Bob said stays");
  await eventually("Alice's page says that it is gone", async () =>
    (await alice.see("struck-told").textContent()).includes("gone"),
  );
  // And in a moment says so no more, however often the room changes meanwhile.
  await eventually("the words about it go", async () => {
    await bob.see("raise-hand").click();
    return (await alice.see("struck-told").textContent()) === "";
  }, 15);
  await eventually("the notes have nothing of Alice", async () => (await found(alice)).length === 0);
  assert.ok((await found(bob)).length > 0);
  const begun = Date.now();
  await eventually("no file has it", async () => lies(server.data, "selfish").length === 0, 60);
  stage.note(`no byte of it ${Math.round((Date.now() - begun) / 100) / 10} s after the search had lost it`);

  await alice.says(respectable);
  await isRead(bob, alice, respectable);
});

story("anybody turns the writing down off for the room, and the host for all", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"], { camera: false });
  const notes = new Reader(host.reviewLink);
  const writing = (who, state) =>
    who.page.locator(`[data-testid=writing][data-writing=${state}]`).waitFor();

  await bob.see("room-off").click();
  await writing(alice, "off-by-room");
  await host.page.locator("[data-testid=host-room-writing][data-writing=off-by-room]").waitFor();
  await alice.says(leisure);
  await alice.seesSpeaking(alice, true);
  await alice.seesSpeaking(alice, false);
  await alice.see("room-on").click();
  await writing(bob, "on");

  await host.see("host-transcribes").click();
  await writing(bob, "off-by-host");
  assert.equal(await bob.see("room-on").count(), 0, "what the host wants is the host's to change");
  await host.page.locator("[data-testid=host-transcribes][aria-pressed=false]").waitFor();
  await host.see("host-transcribes").click();
  await writing(bob, "on");
  await alice.says(selfish);
  await isRead(bob, alice, selfish);
  const all = [...(await notes.search()).hits, ...(await bob.captions())].flatMap((it) => words(it.text));
  assert.deepEqual(tellingWords(leisure, [selfish]).filter((it) => all.includes(it)), []);
});

async function pauses(who, beside, effects) {
  for (let time = 0; time < PAUSES_EACH; time += 1) {
    await who.says(leisure);
    await who.seesSpeaking(who, true);
    const seen = effects.begin(who);
    await who.see("toggle-transcription").click();
    await beside.seesConsent(who, "off-the-record");
    await seen;
    await who.seesSpeaking(who, false);
    await who.see("toggle-transcription").click();
    await beside.seesConsent(who, "on");
  }
}

async function isRead(viewer, speaker, recording) {
  const enough = async () => recall(recording.words, await viewer.wordsOf(speaker.name)) >= 0.6;
  await eventually(`${viewer.name} reads what ${speaker.name} said`, enough, WORDS_WITHIN_S);
}

/** The files in which a text lies. */
function lies(folder, text) {
  const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
  const has = (file) => {
    try {
      return fs.readFileSync(file).includes(text);
    } catch {
      return false; // Gone while we looked.
    }
  };
  return files.map((it) => path.join(it.parentPath, it.name)).filter(has);
}

/** How long after a press the page is told that the room knows: the gate has been closed before that. */
class Effects {
  taken_ms = [];
  #waits = new Map();

  constructor(people) {
    for (const { page } of people) {
      page.on("websocket", (socket) => {
        socket.on("framesent", ({ payload }) => {
          if (String(payload).includes('"off-the-record"')) this.#waits.get(page)?.pressed();
        });
        socket.on("framereceived", ({ payload }) => {
          const text = String(payload);
          if (text.startsWith('{"type":"room"') && text.includes('"off-the-record"')) this.#waits.get(page)?.told();
        });
      });
    }
  }

  begin({ page }) {
    return new Promise((resolve) => {
      let from = null;
      this.#waits.set(page, {
        pressed: () => (from = performance.now()),
        told: () => {
          if (from === null) return;
          this.taken_ms.push(performance.now() - from);
          this.#waits.delete(page);
          resolve();
        },
      });
    });
  }

  toString() {
    const sorted = this.taken_ms.map(Math.round).sort((a, b) => a - b);
    return `p50 ${sorted[Math.floor(sorted.length / 2)]} ms, most ${sorted.at(-1)} ms`;
  }
}
