// A server that dies while people talk: what anybody has seen as text is in the notes, and people find
// themselves where they were.
import assert from "node:assert/strict";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings } from "./help/recordings.mjs";
import { Reader, vuoro } from "./help/server.mjs";

const { amiable, country, leisure, respectable, selfish, youngMan } = recordings;

story("after a crash every word that was shown is in the notes, and people are where they were", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"]);
  const notes = new Reader(host.reviewLink);
  await host.opensRooms(2);
  await host.moves(alice, "room-2");
  await host.moves(bob, "room-2");

  await alice.says(leisure, 1, youngMan, 1, selfish, 1, respectable, 1, amiable);
  await bob.says(country, 1, country);
  const comes = async () => 4 <= Math.min((await shown(alice)).length, (await shown(bob)).length);
  await eventually("words come", comes, WORDS_WITHIN_S);
  await server.kill();
  const [byAlice, byBob] = [await shown(alice), await shown(bob)];
  stage.note(`killed when Alice had seen ${byAlice.length} captions and Bob ${byBob.length}`);

  const down = Date.now();
  await server.start();
  await Promise.all([returns(alice), returns(bob)]);
  stage.note(`both back with sound ${Math.round((Date.now() - down) / 1000)} s after the restart began`);
  assert.deepEqual(
    (await notes.about()).people,
    [alice, bob].map((it) => ({ participant: it.number, name: it.name })),
    "nobody was given a new seat",
  );
  for (const it of [alice, bob]) {
    assert.equal(await it.sees("room-name", "room"), "room-2");
    assert.equal(await it.see("tile").count(), 2);
  }
  await alice.hearsAndSees(bob);
  await bob.hearsAndSees(alice);

  const kept = await notes.search();
  assert.equal(kept.hits.length, kept.total);
  for (const caption of [...byAlice, ...byBob]) {
    const same = kept.hits.filter((it) => key(it) === key(caption));
    assert.equal(same.length, 1, `in the notes once: ${key(caption)}`);
    assert.equal(same[0].room, "room-2");
  }
  await alice.says(leisure);
  const bobReads = async () => {
    const after = (await shown(bob)).filter((it) => !kept.hits.some((hit) => key(hit) === key(it)));
    return recall(leisure.words, after.map((it) => it.text).join(" ")) >= 0.85;
  };
  await eventually("Bob reads what Alice says after the crash", bobReads, WORDS_WITHIN_S);

  await server.kill();
  const after = await anew(server, notes);
  const rebuilt = vuoro(["reindex", "--data", server.data]);
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  const fromTheLog = await anew(server, notes);
  assert.deepEqual(after, fromTheLog, "the index has what the log has");
  assert.equal(new Set(after.hits.map(key)).size, after.total, "nothing twice");
  for (const caption of [...(await shown(alice)), ...(await shown(bob))]) {
    assert.ok(after.hits.some((it) => key(it) === key(caption)), key(caption));
  }
  stage.note(`${after.total} pieces of speech, after two crashes`);
});

/** Captions that have reached the page. */
async function shown(person) {
  return (await person.messages()).filter((it) => it.type === "caption");
}

function key({ participant, start_ms, end_ms, text }) {
  return JSON.stringify([participant, start_ms, end_ms, text]);
}

/** By themselves: nobody touches the page. */
async function returns(person) {
  const back = async () => (await person.messages()).filter((it) => it.type === "welcome").length === 2;
  await eventually(`${person.name}'s page joins again`, back, 60);
  // The dead connection calls itself connected for some seconds: first the new one must be there.
  const offered = async () => 2 <= (await person.negotiations());
  await eventually(`${person.name}'s page is offered a new connection`, offered, 60);
  await person.isConnected();
  assert.equal(await person.negotiations(), 2);
}

/** What the notes hold when the server has just started, read and stopped again. */
async function anew(server, notes) {
  await server.start();
  const all = await notes.search();
  await server.kill();
  return all;
}
