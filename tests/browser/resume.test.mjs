// A page whose line to the server breaks: sound and picture go on as if nothing had happened, and the
// page is told everything anew when the line is back.
import assert from "node:assert/strict";
import fs from "node:fs";

import { eventually, story } from "./harness.mjs";
import { Server } from "./help/server.mjs";
import { Wire } from "./help/wire.mjs";

const CUTS = 20;

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
