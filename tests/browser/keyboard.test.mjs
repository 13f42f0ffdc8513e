// All that people do, done with the keyboard alone, as somebody does it who has no mouse or cannot see:
// the focus is seen at every stop and never lost, and what happens is told to a screen reader.
import assert from "node:assert/strict";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { silent } from "./help/socket.mjs";
import { Keyboard } from "./help/keyboard.mjs";
import { Host } from "./help/people.mjs";
import { recall, recordings } from "./help/recordings.mjs";

story("a participant does everything with the keyboard alone, and hears what happens", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const bob = await stage.person("Bob");
  await bob.joins(host.joinLink);
  const others = await silent(server, host.joinLink, ["Chao", "Dana"]);
  const alice = await stage.person("Alice");
  const keys = new Keyboard(alice);
  await alice.page.goto(host.joinLink.replace("#", "?lang=en#"));
  await alice.sees("kept-for");

  // At the door.
  if (await alice.page.locator(".ask button").count()) {
    await keys.does(".ask button");
    await alice.page.locator("section.devices select").first().waitFor();
    await keys.focusIsKept("opening the devices");
  }
  const microphone = alice.page.locator("section.devices select").first();
  const first = await microphone.inputValue();
  await keys.to("section.devices select");
  await keys.press("ArrowDown");
  await eventually("another microphone", async () => (await microphone.inputValue()) !== first);
  await keys.to("join-name");
  await keys.types("Alice");
  await keys.does("join-consent-on", "Space");
  await keys.does("join-submit");
  await alice.isInside();
  await keys.focusIs("room-name");

  // Voice, picture, hand, reaction, chat, help.
  await keys.press("m");
  await alice.page.locator("[data-testid=toggle-microphone][data-wish=false]").waitFor();
  await keys.does("toggle-microphone", "Space");
  await alice.page.locator("[data-testid=toggle-microphone][data-wish=true]").waitFor();
  const camera = async () => (await alice.see("toggle-camera").getAttribute("aria-pressed")) === "true";
  await keys.press("v");
  await eventually("no picture", async () => !(await camera()));
  await keys.does("toggle-camera");
  await eventually("a picture again", camera);
  const hand = async () => (await alice.see("raise-hand").getAttribute("aria-pressed")) === "true";
  await keys.press("h");
  await eventually("her hand is up", hand);
  await keys.does("raise-hand");
  await eventually("and down", async () => !(await hand()));
  await keys.does("react");
  await keys.does("react-heart");
  await bob.sees("tile-reaction");
  await keys.focusIs("react");
  await keys.press("c");
  await keys.focusIs("chat-field");
  await keys.types("Hello all");
  await keys.press("Enter");
  await bob.page.locator("[data-testid=chat-toggle][data-unread='1']").waitFor();
  await keys.press("Escape");
  await keys.focusIs("chat-toggle");
  await keys.does("call-help");
  await keys.does("call-cancel");
  await host.see("host-call").waitFor({ state: "detached" });
  await alice.see("call-banner").waitFor({ state: "detached" });
  await keys.focusIsKept("taking back a call");

  // Words: how they look, and marks on them; what a screen reader is given of them.
  await keys.does("caption-look");
  await keys.to("caption-size-normal");
  await keys.press("ArrowDown");
  await alice.page.locator(".view[data-size=large]").waitFor();
  await keys.to("caption-place-side");
  await keys.press("ArrowDown");
  await keys.focusIs("caption-place-above");
  await keys.does("caption-look");
  assert.equal(await keys.focus(), "caption-look");
  const log = async () => (await keys.tree()).filter((it) => it.role === "log").find((it) => it.name === "What is being said");
  assert.equal((await log())?.live ?? "off", "off", "nobody is talked over unasked");
  await keys.does("captions-aloud", "Space");
  assert.equal((await log()).live, "polite");
  await bob.says(recordings.country);
  const spoken = async () => recall(recordings.country.words, await alice.wordsOf("Bob")) > 0.6;
  await eventually("Bob's words are there", spoken, WORDS_WITHIN_S);
  await eventually("and are whole", async () => (await alice.see("partial").count()) === 0, WORDS_WITHIN_S);
  const told = (await log()).text();
  assert.match(told, /Bob/, "who speaks is said");
  assert.ok(recall(recordings.country.words, told) > 0.6, told);
  const line = (await keys.tree()).find((it) => it.role === "StaticText" && /country/i.test(it.name));
  assert.deepEqual(await line.element(), { lang: "en", log: true });
  const marked = (mark) => alice.page.locator(`[data-testid=captions] [data-mark=${mark}][aria-pressed=true]`).last();
  await keys.press("6");
  await marked("idea").waitFor();
  await keys.does("mark-worry");
  await marked("worry").waitFor();
  await keys.does("toggle-transcription");
  await bob.seesConsent(alice, "off-the-record");
  await keys.press("t");
  await bob.seesConsent(alice, "on");
  await keys.does("strike");
  await eventually("it is told", async () => (await alice.see("struck-told").textContent()) !== "");

  // Settings, and the keys themselves.
  await keys.does("settings");
  await keys.to("data-all");
  await keys.press("ArrowDown");
  await keys.press("Escape");
  await keys.focusIs("settings");
  await keys.press("?");
  await alice.sees("shortcuts-dialog");
  await keys.does("shortcuts-here", "Space");
  await keys.press("Escape");
  await keys.focusIs("settings");
  await keys.press("m");
  await keys.press("c");
  assert.equal(await alice.see("chat").count(), 0, "the keys do nothing now");
  assert.equal(await alice.sees("toggle-microphone", "wish"), "true");

  // A method: a note of one's own, and the move.
  const next = async (phase) => {
    await host.see("run-next-now").click();
    await alice.isInPhase(phase);
  };
  await host.starts("me-we-all", { brief: 30, me: 30, best: 30, we: 30 });
  await alice.isInPhase("brief");
  await next("me");
  await keys.focusIsKept("the start of a method");
  await keys.to("written");
  await keys.types("Trees to sit under");
  await eventually("it is kept", async () => (await alice.sees("write-state", "state")) === "saved");
  await next("best");
  await next("we");
  await keys.focusIs("room-name");
  const room = await alice.see("room-name").textContent();
  await eventually("the move is told", async () => {
    const tree = await keys.tree();
    const heading = tree.find((it) => it.role === "heading" && it.focused);
    const status = tree.filter((it) => it.live === "polite").map((it) => it.text()).join(" ");
    return heading?.name === room && status.includes(room);
  });
  await keys.to("[data-testid=moved-notice] button");
  await keys.press("Enter");
  await alice.see("moved-notice").waitFor({ state: "detached" });
  await keys.focusIsKept("closing a notice");
  await keys.does("leave");
  await alice.sees("goodbye");
  await keys.focusIsKept("leaving");
  stage.note(`${keys.pressed} keys`);
  assert.deepEqual(alice.complaints, []);
  others.forEach(({ socket }) => socket.close());
});

story("an open sheet gives way when its reader is moved, and the move is heard", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await stage.person("Alice");
  await alice.joins(host.joinLink, { consent: "declined", camera: false });
  await host.opensRooms(2);
  const keys = new Keyboard(alice);
  const moved = async (room) => {
    await host.moves(alice, room);
    await alice.isIn(room);
    await alice.page.locator("dialog[open]").waitFor({ state: "detached" });
    await keys.focusIs("room-name");
    const name = await alice.see("room-name").textContent();
    await eventually("the move is told", async () => {
      const told = (await keys.tree()).filter((it) => it.live === "polite").map((it) => it.text());
      return told.join(" ").includes(name);
    });
  };

  await alice.see("settings").click();
  await alice.sees("settings-dialog");
  await moved("room-1");
  await keys.press("?");
  await alice.sees("shortcuts-dialog");
  await moved("room-2");
  await alice.see("toggle-transcription").click();
  await alice.sees("consent-agree");
  await moved("main");
  await alice.seesConsent(alice, "declined");
  assert.deepEqual(alice.complaints, []);
});

story("on a phone the bars cover nothing that the keyboard comes to, and at high zoom they scroll away", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await stage.person("Alice");
  await alice.joins(host.joinLink, { camera: false });
  const others = await silent(server, host.joinLink, ["Bob"]);
  await host.starts("me-we-all", { brief: 30, me: 30, best: 30, we: 30 });
  await alice.isInPhase("brief");
  await host.see("run-next-now").click();
  await alice.isInPhase("me");
  const keys = new Keyboard(alice);
  const stays = () =>
    alice.page.evaluate(() => {
      const bars = [...document.querySelectorAll("[aria-labelledby=guide-phase] > .bar, .room > section.bar")];
      return bars.map((it) => getComputedStyle(it).position);
    });
  await alice.page.setViewportSize({ width: 360, height: 640 });
  await eventually("both stay in sight", async () => (await stays()).join() === "sticky,sticky");
  // To the end and back: at each stop the focus can be seen.
  await keys.to("leave");
  await keys.to("header button[lang=fi]", { back: true });

  await alice.page.setViewportSize({ width: 320, height: 256 });
  await eventually("both scroll with the page", async () => (await stays()).join() === "static,static");
  assert.deepEqual(await alice.page.evaluate(() => {
    const { scrollPaddingTop, scrollPaddingBottom } = document.documentElement.style;
    return [scrollPaddingTop, scrollPaddingBottom];
  }), ["", ""]);
  others.forEach(({ socket }) => socket.close());
});

story("a host plans, leads and ends with the keyboard alone", async (stage) => {
  const server = await stage.server();
  const host = new Host(await stage.browser({ microphone: "none" }));
  stage.people.push(host);
  await host.openPage(host.browser);
  const keys = new Keyboard(host);
  await host.page.goto(`${server.origin}/?lang=en`);
  await keys.to("start-title");
  await keys.types("Evening of the neighbourhood");
  await keys.does("start-create");
  host.joinLink = await host.see("host-join-link").inputValue();
  host.reviewLink = await host.see("host-review-link").inputValue();
  const bob = await stage.person("Bob");
  await bob.joins(host.joinLink);
  const people = await silent(server, host.joinLink, ["Chao", "Dana", "Eero", "Fatima", "Gus"]);
  await host.person(people[4]).waitFor();

  // A plan, and its start.
  await keys.does("method-choose-one-two-four-all");
  await keys.focusIsKept("choosing a method");
  await keys.does("method-another");
  await keys.focusIsKept("going back to all methods");
  await keys.does("method-choose-one-two-four-all");
  await keys.to("method-question");
  await keys.types("What makes a good school yard?");
  for (const phase of ["solo", "pair", "four"]) {
    await keys.to(`method-minutes-${phase}`);
    await keys.press("Control+A");
    await keys.types("30");
  }
  await host.see("method-plan").waitFor();
  await keys.does("method-start");
  await host.see("run-phase").waitFor();
  await keys.focusIsKept("the start");

  // The clock, and the phases.
  await keys.does("run-pause");
  await keys.focusIs("run-resume");
  await keys.press("Enter");
  await keys.focusIs("run-pause");
  await keys.does("run-extend-5");
  await keys.does("run-next-now");
  await host.page.locator("[data-testid=run-phase][data-phase=pair]").waitFor();
  await keys.focusIsKept("the next phase");

  // A word to all, wishes, a person moved.
  await keys.does("broadcast-open");
  await keys.to("broadcast-field");
  await keys.types("Five minutes left");
  await keys.does("broadcast-send");
  assert.equal(await bob.see("broadcast-text").textContent(), "Five minutes left");
  await host.sees("broadcast-sent");
  await keys.focusIsKept("sending");
  await keys.press("Escape");
  await keys.focusIs("broadcast-open");
  const roomOf = async (it) => host.page.locator(`[data-testid=host-room]:has([data-participant="${it.number}"])`).getAttribute("data-room");
  const from = await roomOf(bob);
  await keys.to(`[data-testid=host-person][data-participant="${bob.number}"] select`);
  await keys.press("ArrowDown", from === "room-1" ? "ArrowDown" : "ArrowUp", "Enter");
  await eventually("Bob is elsewhere", async () => (await roomOf(bob)) !== from);
  await keys.focusIs("host-move");

  // The words of a room.
  await keys.does(`[data-testid=host-room]:has([data-participant="${bob.number}"]) [data-testid=host-follow]`);
  await host.sees("host-reading");
  await bob.says(recordings.country);
  await eventually("the host reads them", async () => (await host.see("caption").count()) > 0, WORDS_WITHIN_S);
  const log = (await keys.tree()).find((it) => it.role === "log");
  assert.ok(log.name, "the log has a name");
  await keys.does("host-reading-stop");
  await host.see("host-reading").waitFor({ state: "detached" });
  await keys.focusIsKept("reading no more");

  // Help that is called for.
  people[1].socket.say({ type: "call", on: true });
  await host.sees("host-call");
  const told = async () => (await keys.tree()).filter((it) => it.role === "status").map((it) => it.text()).join(" ");
  await eventually("a call is told", async () => /Dana/.test(await told()));
  await keys.does("call-see");
  await keys.focusIs("call-end");
  await keys.press("Enter");
  await host.see("host-calls").waitFor({ state: "detached" });
  await keys.focusIsKept("ending a call");

  await keys.does("run-stop");
  await keys.does("run-stop-confirm");
  await host.see("host-run").waitFor({ state: "detached" });
  await keys.focusIsKept("stopping the method");
  // The list of methods comes back, and moves what is below it.
  await host.sees("method-choose-troika");

  // Rooms without a method.
  await keys.to("host-rooms-count");
  await keys.press("Control+A");
  await keys.types("2");
  await keys.press("Enter");
  await host.room("room-2").waitFor();
  await keys.does("host-spread");
  await eventually("nobody waits", async () => (await roomOf(bob)) !== "main");
  await keys.focusIsKept("spreading people");
  await keys.does("host-close-rooms");
  await eventually("all are back", async () => (await roomOf(bob)) === "main");
  await keys.focusIsKept("closing the rooms");

  // The words as a file, and the end.
  const reader = await host.opensReview();
  const others = new Keyboard(reader);
  await others.does("export-open");
  await others.to("export-format");
  await others.press("ArrowDown");
  const [file] = await Promise.all([reader.page.waitForEvent("download"), others.does("export-save")]);
  assert.match(file.suggestedFilename(), /^vuoro-/);
  await others.press("Escape");
  await others.focusIs("export-open");
  await host.page.bringToFront();
  await keys.does("host-end");
  await keys.does("host-end-confirm");
  await host.sees("host-ended");
  await keys.focusIsKept("the end");
  stage.note(`${keys.pressed + others.pressed} keys`);
  assert.deepEqual(host.complaints, []);
  people.forEach(({ socket }) => socket.close());
});
