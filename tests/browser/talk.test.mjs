// What people do beside speaking, in real browsers: they write, raise hands, react and call the host;
// a reload keeps what belongs to the room, a move ends it.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";

story("a chat arrives, is there after a reload, and knows whether it is kept", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob] = await stage.joining(host.joinLink, ["Alice", "Bob"], { consent: "on", camera: false });

  await opensChat(alice);
  assert.equal(await focusOf(alice), "chat-field", "one can type at once");
  assert.equal(await alice.sees("chat-kept", "kept"), "true");
  await alice.see("chat-field").fill("First line");
  await alice.page.keyboard.press("Shift+Enter");
  await alice.page.keyboard.type("https://vuoro.example");
  await alice.page.keyboard.press("Enter");
  await hasPosts(alice, ["First line\nhttps://vuoro.example"]);
  assert.equal(await alice.see("chat-field").inputValue(), "");

  await eventually("Bob is told of one new message", async () => (await bob.sees("chat-toggle", "unread")) === "1");
  await opensChat(bob);
  await hasPosts(bob, ["First line\nhttps://vuoro.example"]);
  assert.equal(await bob.sees("chat-toggle", "unread"), "0");
  await writes(bob, "Thank you!");
  await hasPosts(alice, ["First line\nhttps://vuoro.example", "Thank you!"]);

  await bob.page.keyboard.press("Escape");
  await bob.see("chat").waitFor({ state: "detached" });
  assert.equal(await focusOf(bob), "chat-toggle", "the focus goes back to where it came from");

  await reloads(bob);
  assert.equal(await bob.sees("chat-toggle", "unread"), "0", "what was there before is no news");
  await opensChat(bob);
  await hasPosts(bob, ["First line\nhttps://vuoro.example", "Thank you!"]);

  // Off the record: told, and not kept.
  await bob.see("chat-close").click();
  await bob.see("toggle-transcription").click();
  await opensChat(bob);
  await eventually("the box says so", async () => (await bob.sees("chat-kept", "kept")) === "false");
  await writes(bob, "Between us");
  const last = alice.see("chat-post").last();
  await eventually("Alice is told", async () => (await last.innerText()).includes("Between us"));
  assert.equal(await last.getAttribute("data-kept"), "false");

  // Faster than others can read: said in words of its own, and nothing typed is lost.
  const refused = async () => (await alice.see("chat-refusal").getAttribute("data-code")) === "too-fast";
  let number = 0;
  while (number < 7 && !(await refused())) {
    number += 1;
    const before = await alice.see("chat-post").count();
    await alice.see("chat-field").fill(`Number ${number}`);
    await alice.page.keyboard.press("Enter");
    const told = async () => (await alice.see("chat-post").count()) > before;
    await eventually("the post is told or refused", async () => (await told()) || (await refused()));
  }
  assert.ok(await refused());
  await eventually("it is back", async () => (await alice.see("chat-field").inputValue()) === `Number ${number}`);

  await host.see("broadcast-open").click();
  await host.see("broadcast-field").fill("Five minutes left");
  await host.see("broadcast-send").click();
  assert.equal(await host.see("broadcast-sent").first().textContent(), "Five minutes left");
  for (const it of [alice, bob]) {
    assert.equal(await it.see("broadcast-text").textContent(), "Five minutes left");
  }
  for (let number = 0; number < 3; number += 1) {
    const sent = async () => (await host.see("broadcast-field").inputValue()) === "";
    const refusedToo = async () => (await host.see("broadcast-refusal").count()) > 0;
    await host.see("broadcast-field").fill(`More ${number}`);
    await host.see("broadcast-send").click();
    await eventually("it is sent or refused", async () => (await sent()) || (await refusedToo()));
  }
  assert.equal(await host.sees("broadcast-refusal", "code"), "too-fast");
  assert.equal(await host.see("broadcast-field").inputValue(), "More 2", "it stays to be sent again");
  await bob.see("chat-close").click();
  await bob.see("broadcast-close").click();
  await bob.see("broadcast").waitFor({ state: "detached" });
  for (const it of [alice, bob]) assert.deepEqual(it.complaints, [], it.name);
});

story("hands, reactions, and a call for help, through reloads, moves and a killed server", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const [alice, bob, chao] = await stage.joining(host.joinLink, ["Alice", "Bob", "Chao"], { consent: "declined", camera: false });
  await host.opensRooms(2);
  for (const it of [alice, bob, chao]) await host.moves(it, "room-1");
  for (const it of [alice, bob, chao]) await it.isIn("room-1");

  await bob.see("raise-hand").click();
  await seesHand(alice, bob, "1");
  await alice.page.keyboard.press("h");
  await seesHand(chao, alice, "2");
  await eventually("her own is up", async () => (await alice.see("raise-hand").getAttribute("aria-pressed")) === "true");
  await eventually("the host sees both", async () => (await host.see("host-hand").count()) === 2);

  await reloads(bob);
  await seesHand(bob, bob, "1");
  await seesHand(alice, bob, "1");
  await host.person(bob).getByTestId("host-hand").click();
  await seesHand(chao, alice, "1");
  await eventually("Bob's is down", async () => (await bob.see("raise-hand").getAttribute("aria-pressed")) === "false");

  await host.moves(alice, "room-2");
  await alice.isIn("room-2");
  await host.moves(alice, "room-1");
  await alice.isIn("room-1");
  await eventually("hers is down", async () => (await alice.see("raise-hand").getAttribute("aria-pressed")) === "false");
  await eventually("nobody sees one", async () => (await chao.see("tile-hand").count()) === 0);
  await eventually("nor the host", async () => (await host.see("host-hand").count()) === 0);

  await bob.see("react").click();
  await bob.see("react-heart").click();
  const shown = chao.tile(bob).getByTestId("tile-reaction");
  await shown.waitFor();
  assert.equal(await shown.getAttribute("data-reaction"), "heart");
  assert.equal(await focusOf(bob), "react", "the focus is on the button again");
  await shown.waitFor({ state: "detached" });
  for (const it of [alice, bob, chao]) assert.deepEqual(it.complaints, [], it.name);

  // A call reaches the host, is answered, and outlives the server.
  await alice.see("call-help").click();
  assert.equal(await alice.sees("call-banner", "mine"), "true");
  assert.equal(await bob.sees("call-banner", "mine"), "false");
  assert.equal(await bob.see("call-cancel").count(), 0, "only who called takes it back");
  assert.equal(await host.sees("host-call", "room"), "room-1");

  await server.kill();
  await server.start();
  for (const it of [alice, bob]) await it.isConnectedAgain();
  await eventually("the host is back", async () => (await host.see("reconnecting").count()) === 0);
  assert.equal(await host.sees("host-call", "seen"), "false", "the call is in the log");
  await host.see("call-see").click();
  for (const it of [alice, bob]) {
    await eventually(`${it.name} is told`, async () => (await it.sees("call-banner", "seen")) === "true");
  }
  await host.see("call-end").click();
  for (const it of [alice, bob]) await it.see("call-banner").waitFor({ state: "detached" });
  await host.see("host-calls").waitFor({ state: "detached" });

  await bob.see("call-help").click();
  await host.sees("host-call");
  await bob.see("call-cancel").click();
  await host.see("host-calls").waitFor({ state: "detached" });

  await bob.see("call-help").click();
  await host.sees("host-call");
  await host.moves(bob, "main");
  await host.see("host-calls").waitFor({ state: "detached" });
  await alice.see("call-banner").waitFor({ state: "detached" });
});

story("on a telephone the gesture that goes back closes the chat, and it opens again", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await stage.person("Alice");
  await alice.joins(host.joinLink, { camera: false });
  await alice.page.setViewportSize({ width: 360, height: 740 });
  const chat = alice.see("chat");
  const expanded = () => alice.see("chat-toggle").getAttribute("aria-expanded");

  // First the browser asks, then it closes without asking.
  const ways = [
    (it) => it.dispatchEvent(new Event("cancel", { cancelable: true })),
    (it) => it.close(),
  ];
  for (const goesBack of ways) {
    await opensChat(alice);
    await chat.evaluate(goesBack);
    await chat.waitFor({ state: "detached" });
    await eventually("the button knows", async () => (await expanded()) === "false");
  }

  // Whoever turns their phone keeps it open.
  await opensChat(alice);
  for (const size of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
    await alice.page.setViewportSize(size);
    const modal = size.width === 360;
    await eventually("it stands elsewhere", () => chat.evaluate((it, modal) => it.open && it.matches(":modal") === modal, modal));
  }
  assert.equal(await expanded(), "true");
  assert.deepEqual(alice.complaints, []);
});

async function opensChat(person) {
  await person.see("chat-toggle").click();
  await person.sees("chat-field");
}

async function writes(person, text) {
  const before = await person.see("chat-post").count();
  await person.see("chat-field").fill(text);
  await person.page.keyboard.press("Enter");
  await eventually("the post is told", async () => (await person.see("chat-post").count()) > before);
}

async function hasPosts(person, texts) {
  const seen = async () => (await person.see("chat-text").allTextContents()).join("|") === texts.join("|");
  await eventually(`${person.name} reads ${texts.length} posts`, seen);
}

async function seesHand(person, of, place) {
  const sign = person.tile(of).getByTestId("tile-hand");
  const seen = async () => (await sign.count()) === 1 && (await sign.getAttribute("data-place")) === place;
  await eventually(`${person.name} sees the hand of ${of.name}, number ${place}`, seen);
}

async function reloads(person) {
  await person.page.reload();
  await person.see("join-submit").click();
  await person.isInside();
}

function focusOf(person) {
  return person.page.evaluate(() => document.activeElement?.closest("[data-testid]")?.dataset.testid ?? null);
}
