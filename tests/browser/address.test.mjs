// A person's address changes in the middle of a call: sound and picture go on, over the same connection.
// How soon is measured by `scripts/bench reconnect`, on a machine that does nothing else.
import assert from "node:assert/strict";
import fs from "node:fs";

import { eventually, story } from "./harness.mjs";
import { Air } from "./help/air.mjs";

const CHANGES = 3;
/** Packets of 20 ms that say that the line carries again: what was on its way is less. */
const ENOUGH = 40;

story("whoever changes their address hears and is heard again over the connection there is", async (stage) => {
  const config = stage.path("vuoro.toml");
  fs.writeFileSync(config, '[media]\naddresses = ["127.0.0.1"]\n[speech]\nenabled = false\n');
  const server = await stage.server({ config });
  const host = await stage.host(server);
  const air = await Air.to(server.port);
  stage.atEnd(() => air.close());
  // Never silent: of silence the server forwards a packet now and then only.
  const [alice, bob] = await Promise.all(["Alice", "Bob"].map((it) => stage.person(it, { microphone: "beeps" })));
  await air.carries(alice);
  for (const it of [alice, bob]) await it.joins(host.joinLink, { consent: null });
  await alice.hearsAndSees(bob);
  await bob.hearsAndSees(alice);

  const took_ms = [];
  for (let change = 1; change <= CHANGES; change += 1) {
    for (const [one, other] of [[alice, bob], [bob, alice]]) await one.hearsAndSees(other);
    const before = [await sound(alice, bob), await sound(bob, alice)];
    const begun = Date.now();
    air.changesHands();
    const isBack = async () =>
      (await sound(alice, bob)) > before[0] + ENOUGH && (await sound(bob, alice)) > before[1] + ENOUGH;
    await eventually("both hear each other again", isBack, 60);
    took_ms.push(Date.now() - begun);
  }
  stage.note(`${CHANGES} changes of address: back after ${took_ms.join(", ")} ms`);
  for (const it of [alice, bob]) assert.equal(await it.negotiations(), 1, "the same connection");
  await alice.hearsAndSees(bob);
  await bob.hearsAndSees(alice);
});

/** Packets of sound that have come in so far. */
async function sound(listener, speaker) {
  return (await listener.receives(speaker)).audio?.packetsReceived ?? 0;
}
