// A method that runs by itself from the host's start to the plenary, and one that goes on whatever happens
// to people and to the server on the way.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";
import { silent } from "./help/socket.mjs";

/** Minutes of each phase: hardly more than the ten seconds that a phase has at least. */
const MINUTES = { brief: 0.17, me: 0.2, best: 0.17, we: 0.3, all: 0.2, choose: 0.17 };
const PHASES = Object.keys(MINUTES);
const QUESTION = "What makes a good school yard?";

story("me, we and all runs by itself, from the start to the plenary", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const three = await stage.joining(host.joinLink, ["Alice", "Bob", "Chao"], { consent: "declined", camera: false });
  const more = await silent(server, host.joinLink, ["Dana", "Eero", "Fatima"], { consent: "declined" });
  const [alice] = three;
  await host.starts("me-we-all", MINUTES, QUESTION);
  const begun = Date.now();
  await alice.isInPhase("me");
  assert.equal(await alice.see("step-question").textContent(), QUESTION);
  assert.equal(await alice.see("toggle-microphone").getAttribute("aria-disabled"), "true", "writing is quiet");
  await alice.see("written").fill("A tree to sit under");

  await alice.isInPhase("we");
  assert.notEqual(await alice.sees("room-name", "room"), "main");
  assert.equal(await alice.see("tile").count(), 3, "two groups of three");
  assert.notEqual(await alice.see("toggle-microphone").getAttribute("aria-disabled"), "true");
  await alice.see("room-line").fill("Trees, and a roof for rainy days");
  await eventually("the line is kept", async () => (await alice.sees("write-state", "state")) === "saved");

  await alice.isInPhase("all");
  await eventually("Bob reads the line of Alice's room", async () =>
    (await three[1].see("harvest-lines").innerText()).includes("a roof for rainy days"),
  );
  const over = async () => (await alice.see("step-phase").count()) === 0;
  await eventually("the method is over", over, 90);
  const took = (Date.now() - begun) / 1000;
  const planned = 60 * Object.values(MINUTES).reduce((sum, it) => sum + it);
  stage.note(`planned ${Math.round(planned)} s and time to finish sentences, took ${Math.round(took)} s`);
  assert.ok(planned <= took + 1, "no phase was cut short");
  for (const it of three) {
    assert.equal(await it.sees("room-name", "room"), "main");
    assert.equal(await it.negotiations(), 1, "none for any move");
    assert.deepEqual([...new Set(await it.phasesSeen())], PHASES.map((_, index) => index));
  }
  more.forEach(({ socket }) => socket.close());
});

story("in a group: one more comes, one is away for a while, and the server is killed", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const six = await stage.joining(host.joinLink, ["Alice", "Bob", "Chao", "Dana", "Eero", "Fatima"], {
    consent: "declined",
  });
  const [alice, , , dana] = six;
  await host.starts("me-we-all", Object.fromEntries(PHASES.map((it) => [it, 30])), QUESTION);
  for (const phase of ["me", "best", "we"]) {
    await host.see("run-next-now").click();
    for (const it of six) await it.isInPhase(phase);
  }
  const placed = await placesOf(six);
  const rooms = [...new Set(placed.values())].map((room) => six.filter((it) => placed.get(it.name) === room));
  assert.deepEqual(rooms.map((it) => it.length).sort(), [3, 3], "two groups of three");
  assert.ok(![...placed.values()].includes("main"));
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

  await eventually("the host is back", async () => (await host.see("reconnecting").count()) === 0);
  await host.see("run-next-now").click();
  for (const it of [...six, gus]) await it.isInPhase("all");
  const brought = await gus.see("harvest-lines").innerText();
  assert.ok(brought.includes("a roof for rainy days"), brought);
  for (const it of [...six, gus]) {
    assert.equal(await it.sees("room-name", "room"), "main");
    assert.equal(await it.negotiations(), 2, "one before the crash, one after, and none for any move");
  }
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
  await eventually("told why", async () => (await left.sees("moved-notice", "reason")) === "alone");
  await eventually("three are together", async () => (await left.see("tile").count()) === 3);
  const focused = await left.page.evaluate(() => document.activeElement?.closest("[data-testid=room-name]") !== null);
  assert.ok(focused, "the focus goes to the new room");
  await left.hearsAndSees(others.find((it) => it !== left));
});

async function placesOf(people) {
  const places = await Promise.all(people.map(async (it) => [it.name, await it.sees("room-name", "room")]));
  return new Map(places);
}
