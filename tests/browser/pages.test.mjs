// The four pages as people see them: in three languages, on a phone and on a laptop, by day and by
// night. Pictures for eyes, and what a machine can check: nothing sticks out, nothing complains.
import assert from "node:assert/strict";

import { WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { recall, recordings } from "./help/recordings.mjs";
import { RawSocket } from "./help/socket.mjs";

const LANGUAGES = ["fi", "sv", "en"];
const SIZES = [{ width: 360, height: 740 }, { width: 1280, height: 800 }];
const SCHEMES = ["light", "dark"];

story("every page fits, in every language, on a phone and a laptop, by day and by night", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server, "Asukasilta uudesta koulusta");
  const [aino, bo] = await stage.joining(host.joinLink, ["Aino Virtanen", "Bo Lindström"]);
  const silent = await people(server, host.joinLink, ["Chao", "Dilara Öztürk-Korhonen", "Eino"]);
  await bo.says(recordings.leisure, 1, recordings.country);
  const spoken = async () => recall(recordings.country.words, await aino.wordsOf("Bo Lindström")) > 0.6;
  await eventually("there are words to show", spoken, WORDS_WITHIN_S);
  await aino.sees("balance");
  const review = await host.opensReview();
  await review.finds("country");
  await host.opensRooms(2);
  await host.moves({ number: silent[1].number }, "room-1");
  const start = await stage.person("Visitor");
  await start.page.goto(server.origin);
  await start.sees("start-create");

  for (const [name, { page }] of Object.entries({ start, room: aino, host, review })) {
    for (const language of LANGUAGES) await photograph(stage, name, page, language);
  }
  for (const it of [start, aino, bo, host, review]) assert.deepEqual(it.complaints, [], it.name);
  silent.forEach(({ socket }) => socket.close());
});

story("the join page fits too, with and without its devices", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server, "Asukasilta uudesta koulusta");
  for (const [name, microphone] of [["join", "file"], ["join-no-microphone", "none"]]) {
    const guest = await stage.person(name, { microphone });
    await guest.arrives(host.joinLink);
    if (microphone === "none") await guest.sees("device-problem");
    for (const language of LANGUAGES) await photograph(stage, name, guest.page, language);
    assert.deepEqual(guest.complaints, []);
  }
});

story("the pages of methods fit: the gallery, a method, the plan, a run for the host and in the room", async (stage) => {
  const server = await stage.server();
  const visitor = await stage.person("Visitor");
  for (const [name, path, seen] of [
    ["methods", "/methods", "Learning café"],
    ["method", "/methods/learning-cafe", "Learning café"],
  ]) {
    await visitor.page.goto(`${server.origin}${path}?lang=en`);
    await visitor.page.getByText(seen).first().waitFor();
    for (const language of LANGUAGES) await photograph(stage, name, visitor.page, language);
  }

  const host = await stage.host(server, "Asukasilta uudesta koulusta");
  const [aino] = await stage.joining(host.joinLink, ["Aino Virtanen"]);
  const silent = await people(server, host.joinLink, ["Bo Lindström", "Chao", "Dilara Öztürk-Korhonen", "Eino", "Fanny"]);
  await host.choosesMethod("one-two-four-all", { solo: 5, pair: 5 }, "Mikä tekee koulupihasta hyvän?");
  for (const language of LANGUAGES) await photograph(stage, "host-plan", host.page, language);
  await host.startsMethod();
  await aino.isInPhase("solo");
  for (const language of LANGUAGES) await photograph(stage, "room-solo", aino.page, language);
  await host.see("run-next-now").click();
  await aino.isInPhase("pair");
  for (const language of LANGUAGES) {
    await photograph(stage, "room-pair", aino.page, language);
    await photograph(stage, "host-run", host.page, language);
  }
  for (const it of [visitor, aino, host]) assert.deepEqual(it.complaints, [], it.name);
  silent.forEach(({ socket }) => socket.close());
});

story("hands, the chat and calls for help fit, in the room and for the host", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server, "Asukasilta uudesta koulusta");
  const [aino] = await stage.joining(host.joinLink, ["Aino Virtanen"]);
  const silent = await people(server, host.joinLink, ["Bo Lindström", "Chao", "Dilara Öztürk-Korhonen"]);
  const [bo, chao, dilara] = silent.map(({ socket }) => socket);
  await host.opensRooms(2);
  for (const number of [aino.number, ...silent.map((it) => it.number)]) await host.moves({ number }, "room-1");
  await aino.isIn("room-1");
  bo.say({ type: "raise-hand", on: true });
  dilara.say({ type: "raise-hand", on: true });
  await aino.see("raise-hand").click();
  bo.say({ type: "post", text: "Hei kaikki! Tässä se linkki, josta puhuin:\nhttps://vuoro.example/koulupiha" });
  bo.say({ type: "post", text: "Sivulla 3 on kuva pihasta." });
  chao.say({ type: "post", text: "Kiitos!" });
  dilara.say({ type: "call", on: true });
  await host.sees("host-call");
  await eventually("three posts are told", async () => (await aino.sees("chat-toggle", "unread")) === "3");
  for (const language of LANGUAGES) {
    await photograph(stage, "room-hands", aino.page, language);
    await photograph(stage, "host-calls", host.page, language);
  }
  await host.see("call-see").click();
  await host.see("broadcast-open").click();
  await host.see("broadcast-field").fill("Viisi minuuttia vielä. Kirjoittakaa tärkein ajatuksenne viesteihin.");
  await host.see("broadcast-send").click();
  await host.sees("broadcast-sent");
  await photograph(stage, "host-broadcast", host.page, "fi");
  await aino.see("react").click();
  await photograph(stage, "room-reactions", aino.page, "fi");
  await aino.page.keyboard.press("Escape");
  await aino.see("chat-toggle").click();
  await aino.see("chat-field").fill("Olisiko katos");
  for (const language of LANGUAGES) await photograph(stage, "room-chat", aino.page, language);
  for (const it of [aino, host]) assert.deepEqual(it.complaints, [], it.name);
  silent.forEach(({ socket }) => socket.close());
});

/** In one language, in all sizes and schemes. Nothing is loaded anew: people turn their phones, too. */
async function photograph(stage, name, page, language) {
  await page.bringToFront();
  // Whatever lies over the page, its language can be chosen.
  await page.locator(`header button[lang=${language}]`).evaluate((it) => it.click());
  await page.locator(`html[lang=${language}]`).waitFor({ state: "attached" });
  for (const size of SIZES) {
    await page.setViewportSize(size);
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await isDrawn(page);
      const picture = `${name}-${language}-${size.width}-${colorScheme}`;
      // A room fills the window and keeps its buttons at the lower edge.
      await page.screenshot({ path: stage.screenshot(picture), fullPage: !name.startsWith("room") });
      const { wide, room, light } = await page.evaluate(measures);
      assert.ok(wide <= room, `${picture} is ${wide} px wide in a window of ${room} px`);
      assert.equal(light, colorScheme === "light", `${picture} is drawn as asked`);
    }
  }
}

/** In the page: how wide it is, and whether its ground is light. */
function measures() {
  const { scrollWidth: wide, clientWidth: room } = document.scrollingElement;
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  return { wide, room, light: canvas.getImageData(0, 0, 1, 1).data[1] > 127 };
}

/** New sizes and colours have reached every element. */
function isDrawn(page) {
  return page.evaluate(async () => {
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    await frame();
    const finite = document.getAnimations().filter((it) => it.effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(finite.map((it) => it.finished));
    await frame();
  });
}

/** Who has a seat and no media: their initials are shown. */
async function people(server, link, names) {
  const token = decodeURIComponent(new URL(link).hash.slice(1));
  const all = [];
  for (const name of names) {
    const socket = await RawSocket.connect(server.origin);
    socket.say({ type: "join", token, name, language: "fi", consent: name === "Chao" ? "declined" : "on" });
    all.push({ socket, number: (await socket.hears("welcome")).participant });
  }
  return all;
}
