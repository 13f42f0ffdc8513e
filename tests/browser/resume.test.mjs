// A page whose line to the server breaks: sound and picture go on as if nothing had happened, and the
// page is told everything anew when the line is back.
import assert from "node:assert/strict";
import fs from "node:fs";

import { eventually, story } from "./harness.mjs";
import { pause } from "./help/eventually.mjs";
import { Server } from "./help/server.mjs";
import { Wire } from "./help/wire.mjs";

const CUTS = 20;
/** What a browser makes of no sound at all, and some. */
const HUM = 0.001;

story("a broken line is back in a moment, and sound and picture never stop", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const wire = await Wire.to(server.port);
  stage.atEnd(() => wire.close());
  const [alice, bob] = await Promise.all([
    stage.person("Alice"),
    // Never silent: of silence the server forwards a packet now and then only.
    stage.person("Bob", { microphone: "beeps" }),
  ]);
  await alice.joins(wire.link(host.joinLink), { consent: "declined" });
  await bob.joins(host.joinLink, { consent: "declined" });
  await host.starts("impromptu-networking", {});
  await eventually("they are a pair", async () => (await alice.sees("room-name", "room")) !== "main");
  await alice.hearsAndSees(bob);
  const room = await alice.sees("room-name", "room");

  const took_ms = [];
  for (let cut = 1; cut <= CUTS; cut += 1) {
    // Some seconds of talk: who is cut off again at once waits longer each time, and rightly so.
    const quiet = await heard(alice, bob);
    await eventually("they talk for a while", async () => (await heard(alice, bob)) > quiet + 60);
    const before = await heard(alice, bob);
    const begun = Date.now();
    wire.cut();
    await eventually("the page is welcomed again", async () => (await welcomes(alice)) === cut + 1, 20);
    took_ms.push(Date.now() - begun);
    assert.ok((await heard(alice, bob)) > before, "Bob's sound went on");
  }
  took_ms.sort((a, b) => a - b);
  const at = (part) => took_ms[Math.ceil(part * CUTS) - 1];
  stage.note(`${CUTS} broken lines: back after ${at(0.5)} ms (p50), ${at(0.95)} ms (p95)`);

  for (const [one, other] of [[alice, bob], [bob, alice]]) {
    assert.equal(await one.negotiations(), 1, "no new media connection");
    await one.hearsAndSees(other);
    assert.equal(await one.sees("room-name", "room"), room);
    assert.equal(await one.see("tile").count(), 2);
  }
  await alice.sees("step-countdown");
  assert.equal(await lost(alice, bob), 0, "not one packet of Bob's sound was lost");
});

story("a dead line that nobody closes is noticed, and who has paused on it is heard by nobody until then", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const wire = await Wire.to(server.port);
  stage.atEnd(() => wire.close());
  const [alice, bob] = [await stage.person("Alice", { microphone: "beeps" }), await stage.person("Bob")];
  await alice.joins(wire.link(host.joinLink), { consent: "on" });
  await bob.joins(host.joinLink, { consent: "on" });
  await bob.seesConsent(alice, "on");
  const loud = async () => {
    const energy = async () => (await bob.receives(alice)).audio?.totalAudioEnergy ?? 0;
    const before = await energy();
    await pause(2_000);
    return (await energy()) > before + HUM;
  };
  await eventually("Bob hears Alice", loud);

  wire.swallow();
  const begun = Date.now();
  await alice.see("toggle-transcription").click();
  await eventually("Bob hears her no longer", async () => !(await loud()));
  await eventually("the page is welcomed again", async () => (await welcomes(alice)) === 2, 40);
  stage.note(`a dead line was noticed after ${Date.now() - begun} ms`);
  await bob.seesConsent(alice, "off-the-record");
  await eventually("Bob hears Alice again", loud);
});

story("a page whose words do not come is loaded again, a few times, and then says so", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await stage.person("Alice");
  const { page } = alice;
  // As a browser that remembers: nothing that a page has missed comes to that page.
  let [pages, lacking] = [0, 2];
  page.on("request", (it) => (pages += it.isNavigationRequest() ? 1 : 0));
  await page.route("**/assets/en-*.js", (route) => (pages < lacking ? route.abort() : route.continue()));
  await page.goto(host.joinLink.replace("#", "?lang=en#"));
  await alice.sees("join-name");
  assert.equal(pages, 2);

  [pages, lacking] = [0, Infinity];
  await page.reload();
  await alice.see("lacking").waitFor({ timeout: 120_000 });
  assert.equal(pages, 4);
  await pause(20_000);
  assert.equal(pages, 4, "not for ever");
  lacking = 5;
  await alice.see("lacking").getByRole("button").click();
  await alice.sees("join-name");

  // A room that cannot be drawn is not entered, and its door is there again.
  await page.route("**/assets/Room-*.js", (route) => route.abort());
  await alice.arrives(host.joinLink);
  await alice.see("join-submit").click();
  assert.equal(await alice.sees("fatal-error", "code"), "unreachable");
  await page.unroute("**/assets/Room-*.js");
  await alice.see("fault-action").click();
  await alice.see("join-submit").click();
  await alice.isInside();
});

story("a page keeps its line at the session's own node, and finds back when that is gone", async (stage) => {
  const port = await Server.freePort();
  const [home, node] = [await Wire.to(port), await Wire.to(port)];
  stage.atEnd(() => home.close());
  stage.atEnd(() => node.close());
  const config = stage.path("house.toml");
  const house = { public_url: `http://localhost:${home.port}`, nodes: `["ws://localhost:${node.port}"]` };
  fs.writeFileSync(config, `[server]\npublic_url = "${house.public_url}"\nnodes = ${house.nodes}\n`);
  const server = await stage.server({ port, config });
  const host = await stage.host(server);
  const alice = await stage.person("Alice");
  await alice.joins(home.link(host.joinLink), { consent: "declined" });
  assert.equal(node.lines, 0);

  home.cut();
  await eventually("she is welcomed again", async () => (await welcomes(alice)) === 2, 20);
  assert.equal(node.lines, 1, "by the node that was named");

  node.close();
  await eventually("she is welcomed once more", async () => (await welcomes(alice)) === 3, 20);
  assert.ok(home.lines > 0, "by where her page came from");
  assert.equal(await alice.see("tile").count(), 1);
});

async function welcomes(person) {
  return (await person.messages()).filter((it) => it.type === "welcome").length;
}

async function heard(listener, speaker) {
  return (await listener.receives(speaker)).audio?.packetsReceived ?? 0;
}

async function lost(listener, speaker) {
  return (await listener.receives(speaker)).audio?.packetsLost ?? 0;
}
