// A session in somebody else's page: two origins (127.0.0.1 shows, localhost serves), two sites, and a
// browser that blocks the storage of third parties. The page around the frame is a page like any.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";
import { EmbeddingPage, ForeignServer } from "./help/embedding.mjs";

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

story("the page's player is turned down while the person is in a small room", async (stage) => {
  const page = await EmbeddingPage.open(stage, { name: "ducking" });
  const { host } = page;
  await page.fakePlayers();
  const tone = `const sound = new AudioContext(); const out = sound.createMediaStreamDestination();
    document.getElementById("stream").srcObject = out.stream; document.getElementById("stream").volume = 0.8;`;
  await page.shows(
    { session: page.session, token: page.tokens.join, lang: "en", name: "Aino", player: "#stream" },
    { more: `<video id="stream" tabindex="-1"></video>`, script: tone },
  );
  await page.event("ready");
  await page.command("join", { microphone: true });
  await page.event("joined");
  const volume = () => page.page.evaluate(() => document.getElementById("stream").volume);
  const bob = await stage.person("Bob");
  await bob.joins(host.joinLink);
  await host.opensRooms(1);
  const aino = { number: (await page.command("state")).participant };
  await host.moves(aino, "room-1");
  await page.event("rooms.opened");
  await page.event("player.changed", (it) => it.ducked);
  await eventually("the stream is turned down", async () => Math.abs((await volume()) - 0.08) < 0.01);
  await host.moves(bob, "room-1");
  await host.moves(aino, "main");
  await page.event("rooms.closed");
  await eventually("the stream is as loud as before", async () => Math.abs((await volume()) - 0.8) < 0.01);

  // One button takes a person from a small room back to the stream.
  await host.moves(aino, "room-1");
  await eventually("the stream is turned down again", async () => Math.abs((await volume()) - 0.08) < 0.01);
  await page.frame.getByTestId("return-to-stream").click();
  await page.event("stream.returned");
  await page.event("left");
  await eventually("the stream is as loud as before again", async () => Math.abs((await volume()) - 0.8) < 0.01);
  assert.equal(await page.page.evaluate(() => document.activeElement?.id), "stream", "the focus goes along");

  // Players in frames of others are asked as their makers say.
  for (const [address, how, asked, back] of [
    ["https://www.youtube-nocookie.com/embed/x?enablejsapi=1", "turn-down", '"setVolume","args":[6]', '"setVolume","args":[60]'],
    ["https://www.youtube.com/embed/x?enablejsapi=1", "pause", '"pauseVideo"', '"playVideo"'],
    ["https://player.vimeo.com/video/1", "turn-down", '"setVolume","value":0.06', '"setVolume","value":0.6'],
    ["https://player.vimeo.com/video/1", "pause", '"method":"pause"', '"method":"play"'],
  ]) {
    await page.shows(
      { session: page.session, token: page.tokens.join, lang: "en", name: "Aino", player: "#stream", duck: how },
      { more: `<iframe id="stream" src="${address}"></iframe>` },
    );
    await page.event("ready");
    await eventually(`${address} has told how loud it is`, async () => (await page.playerHeard()).length > 0);
    await page.command("join", {});
    const { participant } = await page.event("joined");
    await host.moves({ number: participant }, "room-1");
    await eventually(`${address} is asked to be quiet (${how})`, async () => (await page.playerHeard()).some((it) => it.includes(asked)));
    await host.moves({ number: participant }, "main");
    await eventually(`${address} is as before`, async () => (await page.playerHeard()).at(-1).includes(back));
    await page.command("leave");
  }
});

story("hostile messages are refused and disturb nobody", async (stage) => {
  const page = await EmbeddingPage.open(stage, { name: "hostile" });
  const { host } = page;
  // A page that is allowed, with an evil frame in it, and a page of our own choice around the frame.
  await page.shows({ session: page.session, token: page.tokens.join, lang: "en", name: "Aino" });
  await page.event("ready");
  await page.command("join", {});
  await page.event("joined");
  await page.settles();
  const before = await page.command("state");
  await page.forgets();

  const inside = await page.inside();
  const refused = [];

  // 1. Through windows: nobody but the first connect is heard, and no window message is a command.
  const windows = [
    null, 0, true, "raiseHand", "", [], {}, [[]], { vuoro: "connect" }, { vuoro: "hello" },
    { vuoro: "connect", version: 1, settings: {}, kept: {} },
    { vuoro: "connect", version: 2, settings: {}, kept: {} },
    { vuoro: "connect", version: 1, settings: { lang: "fi" }, kept: { seat: "x" } },
    { vuoro: "connect", version: 1, settings: [], kept: null },
    { id: 1, command: "leave", takes: {} },
    { token: "x", answers: 1 }, { settings: { lang: "fi" } },
    { gives: null, id: 1 }, { event: "session.ended", detail: {} }, { wants: "token", asks: 1 },
    { type: "end" }, '{"type":"end"}', "x".repeat(2_000_000),
  ];
  await page.page.evaluate((messages) => {
    const frame = document.querySelector("vuoro-session iframe").contentWindow;
    for (const message of messages) {
      frame.postMessage(message, "*");
      frame.postMessage(message, "*", [new MessageChannel().port2]);
      // The page says it to itself, as a script of somebody else's would.
      window.postMessage(message, "*");
    }
  }, windows);
  refused.push(...windows.flatMap((it) => [it, it, it]));

  // 2. From an evil frame on a third origin, which claims to be ours.
  await page.evilFrame(windows);
  refused.push(...windows);
  assert.equal((await page.seen()).filter((it) => it.name !== "timer.tick").length, 0, "nothing came of it");
  assert.deepEqual(await page.command("state"), before);

  // 3. Through the port itself, as only the page can: wrong shapes.
  const shapes = [
    ["leaves", {}], ["__proto__", {}], ["constructor", {}], ["toString", {}], ["hasOwnProperty", {}], ["", {}],
    ["x".repeat(100_000), {}], [null, {}], [7, {}], [["leave"], {}], [{ toString: "leave" }, {}],
    ["leave", null], ["leave", []], ["leave", "x"], ["leave", 1], ["leave", { now: true }], ["leave", { constructor: 1 }],
    ["raiseHand", {}], ["raiseHand", { on: "true" }], ["raiseHand", { on: 1 }], ["raiseHand", { on: null }],
    ["raiseHand", { on: true, participant: 2 }], ["react", { reaction: "gun" }], ["react", { reaction: ["heart"] }],
    ["react", { reaction: "'heart'" }], ["sendChat", { text: "x".repeat(501) }], ["sendChat", { text: { length: 1 } }],
    ["sendChat", { text: "x".repeat(5_000_000) }], ["setLanguage", { language: "de" }], ["setLanguage", { language: "__proto__" }],
    ["setTheme", { theme: "auto", accent: "url(https://evil.example/x)" }], ["setDevices", { microphone: "none" }],
    ["openPanel", { panel: "<script>" }], ["setLowData", { data: "none" }],
    // 4. Without rights: a participant leads nothing and reads nothing, whatever the page asks.
    ["openRooms", { count: 2 }], ["closeRooms", {}], ["assign", {}], ["move", { participant: 1, room: "main" }],
    ["runMethod", { method: "troika" }], ["nextPhase", {}], ["pauseTimer", { on: true }], ["extendTimer", { seconds: 60 }],
    ["stopMethod", {}], ["broadcast", { text: "x" }], ["answerHelp", { participant: 1 }], ["lowerHand", { participant: 1 }],
    ["endShare", { participant: 1 }], ["endSession", {}], ["search", { text: "x" }],
    ["pauseTranscription", { on: false }],
  ];
  const codes = [];
  for (const [command, takes] of shapes) {
    const code = await page.refusal(command, takes);
    assert.notEqual(code, "done", `${JSON.stringify([command, takes]).slice(0, 100)}`);
    codes.push(code);
  }
  refused.push(...shapes);
  assert.ok(codes.every((it) => ["unknown-command", "bad-arguments", "not-allowed", "device-failed"].includes(it)), codes.join(" "));
  // An own `__proto__`, and a port message that is no object.
  const strange = await page.page.evaluate(() => {
    const element = document.getElementById("it");
    return element.command("raiseHand", JSON.parse('{"on":true,"__proto__":{"who":"facilitator"}}')).catch((error) => error.code);
  });
  assert.equal(strange, "bad-arguments");
  assert.equal(await inside.evaluate(() => Object.keys(Object.prototype).length), 0, "no prototype is touched");

  // 5. A flood.
  const flood = await page.page.evaluate(() => {
    const element = document.getElementById("it");
    const all = Array.from({ length: 300 }, () => element.command("state").then(() => "done", (error) => error.code));
    return Promise.all(all);
  });
  assert.ok(flood.filter((it) => it === "too-fast").length >= 200, "a flood is refused");
  refused.push(...flood.filter((it) => it === "too-fast"));

  // 6. Straight to the server: tokens and origins that are not right.
  const admit = async (body) => (await fetch(`${page.server.origin}/api/sessions/${page.session}/admission`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).status;
  const { join } = page.tokens;
  const bad = [
    {}, { token: join }, { token: join, origin: "https://evil.example" }, { token: join, origin: "null" }, { token: join, origin: "" },
    { token: join, origin: `${page.foreign.origin}.evil.example` }, { token: `${join}x`, origin: page.foreign.origin },
    { token: "", origin: page.foreign.origin }, { ticket: "0".repeat(32) }, { ticket: "" }, { ticket: join },
    { token: join, origin: page.foreign.origin, ticket: "x" }, { token: join, origin: page.foreign.origin, role: "facilitator" }, [], "x",
  ];
  for (const body of bad) assert.ok((await admit(body)) >= 400, JSON.stringify(body));
  refused.push(...bad);

  // Nobody has noticed anything; and who was too fast is heard again.
  const heard = () => page.command("state").catch((error) => assert.match(error.message, /too many/));
  assert.deepEqual(await eventually("commands are taken again", heard), before);
  const bob = await stage.person("Bob");
  await bob.joins(host.joinLink);
  await page.event("person.joined");
  const told = (await page.seen()).map((it) => it.name);
  for (const name of ["left", "session.ended", "error", "room.changed", "hand.changed", "chat.message"]) {
    assert.ok(!told.includes(name), `${name} must not have happened: ${told.join(" ")}`);
  }
  stage.note(`${refused.length} hostile messages refused`);
  assert.ok(refused.length >= 50);

  // 7. A page that may not show us at all: the browser keeps the frame out.
  const evil = await page.another(stage, "evil");
  evil.foreign = await ForeignServer.start();
  stage.atEnd(() => evil.foreign.stop());
  await evil.shows({ session: page.session, token: page.tokens.join });
  await eventually("the browser says why", async () => (await evil.account()).includes("frame-ancestors"));
  const named = `This page's origin: ${evil.foreign.origin}`;
  await eventually("the element says which origin is missing", async () => (await evil.account()).includes(named));
  assert.ok(!(await evil.seen()).some((it) => it.name === "ready"));
});
