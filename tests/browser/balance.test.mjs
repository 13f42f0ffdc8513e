// What is shown of how evenly a room talks, and to whom: nothing in the first two minutes, then a ring
// without names to the room, one's own part to oneself, rooms and no people to the host. At the end it
// is gone from everywhere but where a person keeps their own.
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";

import { eventually, story } from "./harness.mjs";
import { recordings } from "./help/recordings.mjs";
import { RawSocket } from "./help/socket.mjs";

const { amiable, country, leisure, respectable, selfish } = recordings;
const TWO_MINUTES_MS = 120_000;
/** A page is told a moment after the server counts. */
const SLACK_MS = 1_500;
const LAPTOP = { width: 1280, height: 720 };
const FINGER_PX = 44;
const heard = new Map();
/** What a balance would be called on the wire, and what it says of a person. */
const OF_A_PERSON = ["own_talk_ms", "own_turns", "own_share", "talk_ms", "people_heard"];

story("a silent person is counted and asked for by nobody's name, and figures are each one's own", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob, chao] = await Promise.all(["Alice", "Bob", "Chao"].map((it) => stage.person(it)));
  [alice, bob, chao].forEach(listensAlong);
  await alice.joins(host.joinLink);
  // From here on there is somebody to talk with.
  const together = Date.now();
  await bob.joins(host.joinLink);
  await chao.joins(host.joinLink);
  const everybody = [alice, bob, chao];
  // Beside the host's page, to see all that it could know.
  const watching = await RawSocket.connect(server.origin);
  watching.say({ type: "watch", token: decodeURIComponent(new URL(host.page.url()).hash.slice(1)) });

  // A good deal is said in the first minutes, and nobody is shown anything of it.
  await alice.says(country, 0.5, leisure);
  await bob.seesSpeaking(alice, true);
  for (const it of everybody) assert.equal(await it.see("balance").getAttribute("data-voices"), null);
  await alice.picture(stage.screenshot("balance-first-minutes"));
  await bob.seesSpeaking(alice, false);
  await bob.says(selfish);
  await alice.seesSpeaking(bob, true);

  const told = await eventually("Chao is told of the balance", () => balanceOf(chao), 150);
  const after_ms = Date.now() - together;
  assert.ok(after_ms >= TWO_MINUTES_MS - SLACK_MS, `told after ${after_ms} ms`);
  stage.note(`told ${Math.round(after_ms / 1000)} s after the second person came`);

  // The room: a ring without names, the same for all, with the silent one in it.
  const [ofAlice, ofBob] = [balanceOf(alice), balanceOf(bob)];
  for (const it of [ofAlice, ofBob]) assert.deepEqual(it.shares, told.shares);
  assert.equal(told.shares.length, 3);
  assert.equal(told.shares[2], 0, "who is silent has a part of nothing");
  assert.ok(told.effective_voices > 1 && told.effective_voices < 2, `${told.effective_voices} voices`);
  const shown = await chao.see("balance").innerText();
  for (const { name } of everybody) assert.ok(!shown.includes(name), `${name} stands in: ${shown}`);
  // All are asked alike, also the one who has not spoken.
  for (const it of everybody) await it.see("invites").waitFor();

  // Each their own.
  assert.deepEqual([told.own_talk_ms, told.own_turns, told.own_share], [0, 0, 0]);
  assert.ok(ofAlice.own_talk_ms > ofBob.own_talk_ms && ofBob.own_talk_ms > 1_000);
  assert.ok(Math.abs(ofAlice.own_share + ofBob.own_share - 1) < 0.001);
  assert.deepEqual([ofAlice.own_turns, ofBob.own_turns], [1, 1]);
  await alice.page.setViewportSize(LAPTOP);
  const summary = alice.see("balance").locator("summary");
  assert.ok((await summary.boundingBox()).height >= FINGER_PX);
  await summary.click();
  await alice.picture(stage.screenshot("balance-own"));
  const bar = await alice.see("toggle-microphone").boundingBox();
  const ends = await alice.page.locator("main").evaluate((it) => it.getBoundingClientRect().bottom);
  assert.ok(ends <= bar.y, "open details push nothing over the controls");
  const captions = await alice.see("captions").boundingBox();
  assert.ok(captions.height > 150, `the captions keep their place: ${captions.height} px`);

  // The host: the room, and nothing of any person.
  await host.sees("host-balance");
  await host.picture(stage.screenshot("balance-host"));
  const row = await host.see("host-balance").innerText();
  for (const { name } of everybody) assert.ok(!row.includes(name), `${name} stands in: ${row}`);

  // Chao speaks at last, and nobody is asked for any more.
  await chao.says(respectable, 0.3, amiable);
  const has = () => (balanceOf(chao).own_turns === 1 ? balanceOf(chao) : null);
  assert.equal((await eventually("Chao has had a turn", has)).invites, false);
  await chao.see("invites").waitFor({ state: "detached" });

  await host.see("host-end").click();
  await host.see("host-end-confirm").click();
  for (const it of everybody) await it.see("goodbye").waitFor();
  await watching.isClosed();
  for (const type of ["room-balances", "rounds"]) {
    const all = watching.messages.filter((it) => it.type === type);
    assert.ok(all.length > 0, `the host is told ${type}`);
    for (const word of [...OF_A_PERSON, "participant", "name"]) assert.ok(!JSON.stringify(all).includes(`"${word}"`), word);
  }
  await chao.see("keep-mine").waitFor();
  await chao.picture(stage.screenshot("balance-end"));
  const kept = decodeURIComponent((await chao.see("keep-mine-save").getAttribute("href")).split(",")[1]);
  assert.match(kept, /1 turn/);
  for (const name of ["Alice", "Bob"]) assert.ok(!kept.includes(name), kept);
  // Whoever does not keep it has nothing: not the page once it is opened anew, and not the server.
  await bob.page.reload();
  await bob.see("goodbye").or(bob.see("join-name")).first().waitFor();
  assert.equal(await bob.see("keep-mine").count(), 0);
  await server.stop();
  for (const it of filesIn(server.data)) {
    const bytes = fs.readFileSync(it).toString("latin1");
    for (const word of OF_A_PERSON) assert.ok(!bytes.includes(word), `${word} stands in ${path.basename(it)}`);
  }
});

/** Keeps what a person's page is told of the balance, as it comes in. */
function listensAlong(person) {
  const told = [];
  person.page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const message = JSON.parse(payload);
      if (message.type === "balance") told.push(message);
    }),
  );
  heard.set(person, told);
}

/** The last balance that a person was told; null before. */
function balanceOf(person) {
  return heard.get(person).at(-1) ?? null;
}

function filesIn(folder) {
  return fs.readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((it) => (it.isFile() ? [path.join(it.parentPath ?? it.path, it.name)] : []));
}
