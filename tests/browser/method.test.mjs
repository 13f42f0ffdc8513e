// A method that runs by itself, from the host's start to the plenary, whatever happens to people and
// to the server on the way. Nobody touches it in between.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";

/** Minutes of each phase: long enough to look at, short enough to wait for. */
const MINUTES = { brief: 0.2, me: 0.5, best: 0.4, we: 2.5, all: 0.5, choose: 0.4 };
const PHASES = Object.keys(MINUTES);

story("me, we and all: six people, one more, one away for a while, and the server killed", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const six = await stage.joining(host.joinLink, ["Alice", "Bob", "Chao", "Dana", "Eero", "Fatima"], {
    consent: "declined",
  });
  const [alice, , , dana] = six;
  await host.starts("me-we-all", MINUTES, "What makes a good school yard?");
  const begun = Date.now();

  for (const it of six) await it.isInPhase("brief");
  assert.equal(await alice.see("step-question").textContent(), "What makes a good school yard?");
  await alice.isInPhase("me");
  assert.equal(await alice.see("toggle-microphone").getAttribute("aria-disabled"), "true", "writing is quiet");
  await alice.see("written").fill("A tree to sit under");

  await alice.isInPhase("we");
  const placed = await placesOf(six);
  const rooms = [...new Set(placed.values())].map((room) => six.filter((it) => placed.get(it.name) === room));
  assert.deepEqual(rooms.map((it) => it.length).sort(), [3, 3], "two groups of three");
  assert.ok(![...placed.values()].includes("main"));
  assert.notEqual(await alice.see("toggle-microphone").getAttribute("aria-disabled"), "true");
  const [beside] = rooms.find((it) => it.includes(alice)).filter((it) => it !== alice);
  await alice.hearsAndSees(beside);

  const gus = await stage.person("Gus");
  await gus.joins(host.joinLink, { consent: "declined" });
  assert.equal(await gus.sees("moved-notice", "reason"), "late");
  assert.notEqual(await gus.sees("room-name", "room"), "main", "who comes late is in a group at once");
  await gus.isInPhase("we");

  await dana.page.reload();
  await dana.see("join-submit").click();
  await dana.isInside();
  assert.equal(await dana.sees("room-name", "room"), placed.get("Dana"), "the same seat");
  await dana.isInPhase("we");

  await alice.see("room-line").fill("Trees, and a roof for rainy days");
  await eventually("the line is kept", async () => (await alice.sees("write-state", "state")) === "saved");
  const before = await alice.secondsLeft();
  const killed = Date.now();
  await server.kill();
  await server.start();
  for (const it of [...six, gus]) await it.isConnectedAgain();
  const [after, away] = [await alice.secondsLeft(), (Date.now() - killed) / 1000];
  stage.note(`${Math.round(away)} s until all seven were back; ${before} s were left before, ${after} s after`);
  assert.ok(Math.abs(before - away - after) <= 3, "the clock is the server's, and goes on");
  assert.equal(await alice.sees("step-phase", "phase"), "we", "the same phase");
  assert.deepEqual(await placesOf(six), placed, "the same rooms");
  assert.equal(await alice.see("room-line").inputValue(), "Trees, and a roof for rainy days");

  for (const it of [...six, gus]) await it.isInPhase("all", 200);
  for (const it of [...six, gus]) assert.equal(await it.sees("room-name", "room"), "main");
  const brought = await gus.see("harvest-lines").innerText();
  assert.ok(brought.includes("a roof for rainy days"), brought);
  await alice.isInPhase("choose", 60);
  const over = async () => (await alice.see("step-phase").count()) === 0;
  await eventually("the method is over", over, 90);
  const took = (Date.now() - begun) / 1000;
  const planned = 60 * Object.values(MINUTES).reduce((sum, it) => sum + it);
  stage.note(`planned ${Math.round(planned)} s and time to finish sentences, took ${Math.round(took)} s`);
  assert.ok(planned <= took + 1, "no phase was cut short");
  for (const it of [...six, gus]) {
    assert.equal(await it.sees("room-name", "room"), "main");
    assert.equal(await it.negotiations(), 2, "one before the crash, one after, and none for any move");
  }
  assert.deepEqual([...new Set(await alice.phasesSeen())], PHASES.map((_, index) => index));
});

story("who is left alone is brought to others, with a kind word", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const people = await stage.joining(host.joinLink, ["Alice", "Bob", "Chao", "Dana"], { consent: "declined" });
  await host.starts("impromptu-networking", {});
  for (const it of people) await eventually("in a pair", async () => (await it.sees("room-name", "room")) !== "main");
  const places = await placesOf(people);
  const [alice, ...others] = people;
  const left = others.find((it) => places.get(it.name) === places.get("Alice"));
  await alice.see("leave").click();
  assert.equal(await left.sees("moved-notice", "reason"), "alone");
  await eventually("three are together", async () => (await left.see("tile").count()) === 3);
  const focused = await left.page.evaluate(() => document.activeElement?.closest("[data-testid=room-name]") !== null);
  assert.ok(focused, "the focus goes to the new room");
  await left.hearsAndSees(others.find((it) => it !== left));
});

async function placesOf(people) {
  const places = await Promise.all(people.map(async (it) => [it.name, await it.sees("room-name", "room")]));
  return new Map(places);
}
