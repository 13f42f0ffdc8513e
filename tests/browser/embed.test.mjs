// A session in somebody else's page: two origins (127.0.0.1 shows, localhost serves), two sites, and a
// browser that blocks the storage of third parties. The page around the frame is a page like any.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";
import { EmbeddingPage } from "./help/embedding.mjs";

story("somebody else's page shows a session, with no storage of ours", async (stage) => {
  const page = await EmbeddingPage.open(stage);
  const { host } = page;

  await page.shows({ session: page.session, token: page.tokens.join, lang: "en", name: "Aino" });
  const ready = await page.event("ready");
  assert.equal(ready.role, "participant");
  assert.equal(await page.storageIsBlocked(), true, "the browser blocks the storage of the frame");
  assert.equal(page.urls().some((it) => it.includes(page.tokens.join)), false, "no token in any URL");
  assert.match(await page.frame.locator("html").getAttribute("lang"), /en/);
  assert.equal(await page.frame.getByTestId("join-name").inputValue(), "Aino");

  const able = await page.command("capabilities");
  assert.ok(able.commands.includes("raiseHand"));
  assert.ok(!able.commands.includes("openRooms"), "a participant does not lead");

  await page.command("join", { microphone: true });
  const joined = await page.event("joined");
  assert.equal(joined.room, "main");
  assert.equal((await page.command("state")).people[0].name, "Aino");

  const bob = await stage.person("Bob");
  await bob.joins(host.joinLink);
  assert.equal((await page.event("person.joined")).name, "Bob");
  await bob.isConnected();

  await page.command("raiseHand", { on: true });
  assert.deepEqual((await page.event("hand.changed")).hands, [joined.participant]);
  await page.command("sendChat", { text: "hello from the page" });
  assert.equal((await page.event("chat.message")).text, "hello from the page");
  await page.command("react", { reaction: "heart" });
  await page.event("reaction");
  await page.command("setMicrophone", { on: false });
  assert.equal((await page.event("microphone.changed", (it) => it.on === false)).on, false);
  await page.command("openPanel", { panel: "chat" });
  await page.event("panel.changed", (it) => it.panel === "chat");
  await page.command("setLanguage", { language: "sv" });
  await eventually("the frame speaks Swedish", async () => (await page.frame.locator("html").getAttribute("lang")) === "sv");
  await page.command("callForHelp", { on: true });
  await page.event("help.requested");

  // What the token does not give is refused, whatever the page says of itself.
  assert.equal(await page.refusal("openRooms", { count: 2 }), "not-allowed");
  assert.equal(await page.refusal("sendChat", { text: " " }), "bad-text");
  assert.equal(await page.refusal("sendChat", { text: 7 }), "bad-arguments");
  assert.equal(await page.refusal("pauseTranscription", { on: false }), "not-allowed", "nobody agrees for another");

  // Loaded anew, the same seat is found, though the frame may keep nothing.
  const seat = joined.participant;
  await page.reloads();
  await page.event("ready");
  await page.command("join", {});
  assert.equal((await page.event("joined")).participant, seat);
});
