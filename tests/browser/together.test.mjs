// What a room writes together, in real browsers: two type at once into one field, a third comes late, the
// server dies under their hands, the sheet is laid out anew while one has no line, and who comes to a table next
// finds what lies on it.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

import { eventually, story } from "./harness.mjs";
import { silent } from "./help/socket.mjs";
import { Wire } from "./help/wire.mjs";

const Yjs = createRequire(new URL("../../web/package.json", import.meta.url))("yjs");

const PHONE = { width: 360, height: 740 };
const LAPTOP = { width: 1280, height: 800 };
const HERS = "More trees to sit under. ";
const HIS = "A roof for rainy days. ";
const TREES = "\u{1f333}".repeat(1_500);

story("two people type into one text at once, and both read both sentences", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"], { consent: "declined" });
  await alice.page.setViewportSize(PHONE);
  await bob.page.setViewportSize(LAPTOP);
  const minutes = { brief: 5, me: 5, best: 5, we: 5, all: 5, choose: 5 };
  await host.starts("me-we-all", minutes, "What makes a good school yard?");
  for (const phase of ["brief", "me", "best"]) {
    await alice.isInPhase(phase);
    await host.see("run-next-now").click();
  }
  for (const it of [alice, bob]) await it.isInPhase("we");
  const both = [alice, bob].map((it) => it.see("room-line"));
  for (const field of both) await eventually("there is a sheet", () => field.isEditable());
  for (const it of [alice, bob]) await it.sees("scribe");

  // A key each in turn, as two who do not wait for one another.
  await Promise.all([
    both[0].pressSequentially(HERS, { delay: 40 }),
    both[1].pressSequentially(HIS, { delay: 55 }),
  ]);
  await eventually("Alice is told who writes", async () => (await alice.see("writers").textContent()).includes("Bob"));
  await pictures(stage, alice, "together-writing");
  const texts = () => Promise.all(both.map((it) => it.inputValue()));
  await eventually("both read the same", async () => new Set(await texts()).size === 1);
  const [text] = await texts();
  assert.equal(text.length, HERS.length + HIS.length, text);
  assert.equal([...text].sort().join(""), [...(HERS + HIS)].sort().join(""), "not a letter is lost");

  // From here on each at a place of their own: whole sentences stay whole.
  await both[0].fill("");
  await eventually("it is empty", async () => (await texts()).every((it) => it === ""));
  await both[0].pressSequentially(HERS);
  await eventually("Bob reads her", async () => (await both[1].inputValue()) === HERS);
  await both[1].press("ControlOrMeta+End");
  await both[0].press("ControlOrMeta+Home");
  await Promise.all([
    both[0].pressSequentially("Yes! ", { delay: 60 }),
    both[1].pressSequentially(HIS, { delay: 30 }),
  ]);
  await eventually("both sentences, and hers in front", async () => (await texts()).every((it) => it === `Yes! ${HERS}${HIS}`));
  // What one takes back is one's own.
  await both[0].press("ControlOrMeta+z");
  await eventually("her word is gone, his is not", async () => (await texts()).every((it) => it.endsWith(HIS) && !it.startsWith("Yes! ")));

  const chao = await stage.person("Chao");
  await chao.joins(host.joinLink, { consent: "declined" });
  await chao.isInPhase("we");
  both.push(chao.see("room-line"));
  const [there] = await texts();
  const allRead = (text) => eventually(`all read "${text}"`, async () => (await texts()).every((it) => it === text));
  await allRead(there);

  // Who has marked a word has it marked still when others write before it.
  const at = there.indexOf("rainy");
  await both[2].evaluate((it, at) => it.setSelectionRange(at, at + 5), at);
  await both[0].press("ControlOrMeta+Home");
  await both[0].pressSequentially("First: ");
  await allRead(`First: ${there}`);
  const marked = (it) => it.value.slice(it.selectionStart, it.selectionEnd);
  assert.equal(await both[2].evaluate(marked), "rainy");
  await eventually("it is kept", async () => (await alice.sees("write-state", "state")) === "saved");
  await pictures(stage, bob, "together-kept");

  await bob.page.reload();
  await bob.see("join-submit").click();
  await bob.isInside();
  await allRead(`First: ${there}`);
  // The server dies in the middle of a sentence, and she writes on.
  await both[0].press("ControlOrMeta+End");
  await both[0].pressSequentially("Swings ");
  await eventually("Chao reads it", async () => (await both[2].inputValue()).endsWith("Swings "));
  await server.kill();
  await alice.sees("reconnecting");
  await both[0].pressSequentially("for all.");
  await eventually("she is told that it is not kept", async () => (await alice.sees("write-state", "state")) === "offline");
  await server.start();
  await allRead(`First: ${there}Swings for all.`);

  await eventually("the host is back", async () => (await host.see("reconnecting").count()) === 0);
  await host.see("run-next-now").click();
  for (const it of [alice, bob, chao]) await it.isInPhase("all");
  const brought = await chao.see("harvest-lines").innerText();
  assert.ok(brought.includes(HIS.trim()), brought);
});

story("what one types without a line is there once when the sheet was laid out anew meanwhile", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const wire = await Wire.to(server.port);
  stage.atEnd(() => wire.close());
  const alice = await stage.person("Alice");
  await alice.joins(wire.link(host.joinLink), { consent: "declined", camera: false });
  const [bob] = await silent(server, host.joinLink, ["Bob"]);
  await host.starts("me-we-all", { brief: 5, me: 5, best: 5, we: 5, all: 5, choose: 5 }, "What makes a good school yard?");
  for (const phase of ["brief", "me", "best"]) {
    await alice.isInPhase(phase);
    await host.see("run-next-now").click();
  }
  await alice.isInPhase("we");
  const field = alice.see("room-line");
  await eventually("there is a sheet", () => field.isEditable());
  await field.pressSequentially(HERS);
  const leaf = new Leaf(bob.socket);
  await eventually("Bob reads it", () => leaf.reads() === HERS);

  wire.break();
  await alice.sees("reconnecting");
  await field.pressSequentially("Swings. ");
  const first = leaf.number;
  // Trees come and go, until there have been so many that the server begins a new page.
  for (let turn = 0; turn < 25; turn += 1) leaf.types(HERS.length, turn ? TREES.length : 0, TREES);
  await eventually("it is laid out anew", () => leaf.reads() && leaf.number !== first);
  leaf.types(HERS.length, leaf.reads().length - HERS.length, HIS);

  wire.mend();
  await alice.see("reconnecting").waitFor({ state: "detached" });
  const both = async () => {
    const text = await field.inputValue();
    return text === leaf.reads() && text.includes(HIS) && text;
  };
  const text = await eventually("both read the same", both);
  assert.ok([`${HERS}Swings. ${HIS}`, `${HERS}${HIS}Swings. `].includes(text), text);
  await eventually("it is kept", async () => (await alice.sees("write-state", "state")) === "saved");
  assert.equal(await field.inputValue(), text);
  bob.socket.close();
});

story("who comes to a table finds what was written there, and all of it comes to all", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice] = await stage.joining(host.joinLink, ["Alice"], { consent: "declined" });
  const names = ["Bob", "Chao", "Dana", "Eero", "Fatima", "Gus", "Hanna", "Ines", "Juho", "Katri", "Leo"];
  const guests = await silent(server, host.joinLink, names);
  await host.starts("world-cafe", { "first-table": 5, "next-table": 5, essence: 5, harvest: 5 }, "What makes a good school yard?");
  await alice.isInPhase("first-table");
  const field = alice.see("room-line");
  const table = () => alice.sees("room-name", "room");
  // Somebody writes on each table.
  const lies = new Map([[await table(), "Alice's table: benches."]]);
  await eventually("there is a sheet", () => field.isEditable());
  await field.pressSequentially(lies.get(await table()));
  for (const { socket, name } of guests) {
    const { room } = socket.messages.findLast((it) => it.type === "room").room;
    if (lies.has(room)) continue;
    lies.set(room, `${name}'s table: trees.`);
    socket.say({ type: "write", text: lies.get(room) });
  }
  assert.equal(lies.size, 3);

  for (const round of [0, 1]) {
    await eventually("it is kept", async () => (await alice.sees("write-state", "state")) === "saved");
    await host.see("run-next-now").click();
    await eventually(`round ${round} at another table`, async () => {
      const { run } = (await alice.messages()).findLast((it) => it.type === "step");
      return run.phase === 1 && run.round === round;
    });
    const there = await table();
    await eventually("she reads what lies there", async () => (await field.inputValue()) === lies.get(there));
    await field.press("ControlOrMeta+End");
    await field.pressSequentially(` Round ${round}.`);
    lies.set(there, `${lies.get(there)} Round ${round}.`);
  }
  await host.see("run-next-now").click();
  await alice.isInPhase("essence");
  await eventually("it lies there still", async () => (await field.inputValue()) === lies.get(await table()));
  await host.see("run-next-now").click();
  await alice.isInPhase("harvest");
  const brought = await alice.see("harvest-lines").innerText();
  for (const text of lies.values()) assert.ok(brought.includes(text), `${text} in ${brought}`);
  guests.forEach(({ socket }) => socket.close());
});

story("whoever's page cannot have what a sheet takes is told so, and comes back to their seat", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await stage.person("Alice");
  await alice.page.route("**/assets/yjs-*.js", (route) => route.abort());
  await alice.joins(host.joinLink, { consent: "declined" });
  const others = await silent(server, host.joinLink, ["Bob"]);
  await host.starts("me-we-all", { brief: 5, me: 5, best: 5, we: 5, all: 5, choose: 5 });
  for (const phase of ["brief", "me", "best"]) {
    await alice.isInPhase(phase);
    await host.see("run-next-now").click();
  }
  await alice.isInPhase("we");
  const { number } = alice;
  await alice.sees("sheet-lacking");
  await alice.page.unroute("**/assets/yjs-*.js");
  await alice.see("sheet-lacking").getByRole("button").click();
  await alice.see("join-submit").click();
  await alice.isInside();
  assert.equal(alice.number, number);
  await eventually("there is a sheet", () => alice.see("room-line").isEditable());
  assert.equal(await alice.see("sheet-lacking").count(), 0);
  others.forEach(({ socket }) => socket.close());
});

/** A sheet as somebody has it who writes without a page. */
class Leaf {
  number = null;
  #socket;
  #taken = 0;
  #doc = null;

  constructor(socket) {
    this.#socket = socket;
  }

  /** The text, with all that has been told so far. */
  reads() {
    for (const it of this.#socket.messages.slice(this.#taken)) {
      if (it.type === "sheet") {
        if (it.number !== this.number) [this.number, this.#doc] = [it.number, new Yjs.Doc()];
        Yjs.applyUpdate(this.#doc, Buffer.from(it.state, "base64"));
      } else if (it.type === "typed" && it.sheet === this.number) Yjs.applyUpdate(this.#doc, Buffer.from(it.update, "base64"));
    }
    this.#taken = this.#socket.messages.length;
    return this.#doc?.getText("text").toString() ?? "";
  }

  types(at, gone, comes) {
    const text = this.#doc.getText("text");
    const before = Yjs.encodeStateVector(this.#doc);
    this.#doc.transact(() => {
      text.delete(at, gone);
      text.insert(at, comes);
    });
    const update = Buffer.from(Yjs.encodeStateAsUpdate(this.#doc, before)).toString("base64");
    this.#socket.say({ type: "type", sheet: this.number, update });
  }
}

async function pictures(stage, person, name) {
  const size = person.page.viewportSize();
  for (const [where, viewport] of [["phone", PHONE], ["laptop", LAPTOP]]) {
    await person.page.setViewportSize(viewport);
    for (const colorScheme of ["light", "dark"]) {
      await person.page.emulateMedia({ colorScheme });
      await person.page.screenshot({ path: stage.screenshot(`${name}-${where}-${colorScheme}`), fullPage: where === "phone", animations: "disabled" });
    }
  }
  await person.page.emulateMedia({ colorScheme: null });
  await person.page.setViewportSize(size);
}
