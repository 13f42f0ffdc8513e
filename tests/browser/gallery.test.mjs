// Every state of every page as people see it: in three languages, on a phone and on a laptop, by day and
// by night. A machine finds nothing wrong with it (axe, and nothing sticks out), and a person can look at
// all of it: `scripts/test gallery` takes every look and leaves the pictures in target/gallery.
import assert from "node:assert/strict";
import { after, describe } from "node:test";

import { PATIENCE, WORDS_WITHIN_S, eventually, story } from "./harness.mjs";
import { EmbeddingPage } from "./help/embedding.mjs";
import { Gallery, WHOLE, shown, total } from "./help/gallery.mjs";
import { lahti } from "./help/lahti.mjs";
import { recall, recordings } from "./help/recordings.mjs";
import { silent } from "./help/socket.mjs";

const TITLE = "Asukasilta uudesta koulusta";
const QUESTION = "Mikä tekee koulupihasta hyvän?";
const NAMES = ["Bo Lindström", "Chao", "Dilara Öztürk-Korhonen", "Eino", "Fanny", "Gunilla af Forsselles", "Hanna"];
/** All twelve looks of a story need their time on a machine that is busy. */
const LIMIT_S = (WHOLE ? 1_800 : 540) * PATIENCE;
/** While one story waits for its people, another is looked at. */
const SIDE_BY_SIDE = 2;

describe("gallery", { concurrency: SIDE_BY_SIDE }, () => {
  story("the pages for everybody, and what a wrong link shows", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const visitor = await stage.person("Visitor", { microphone: "none" });
    const goes = (path) => visitor.page.goto(`${server.origin}${path}`);
    const whole = { whole: true };
    await goes("/");
    await visitor.sees("start-create");
    await gallery.shows("start", visitor, whole);
    await visitor.see("start-create").click();
    await visitor.page.locator("[data-testid=start-title][aria-invalid=true]").waitFor();
    await gallery.shows("start-untitled", visitor, whole);
    await goes("/?method=learning-cafe");
    await visitor.sees("start-method");
    await gallery.shows("start-method", visitor, whole);
    await goes("/methods");
    await visitor.sees("method-card");
    await gallery.shows("methods", visitor, whole);
    await visitor.see("methods-query").fill("xyzzy");
    await visitor.page.locator("[data-testid=methods-count][data-count='0']").waitFor();
    await gallery.shows("methods-none", visitor, whole);
    await goes("/methods/learning-cafe");
    await visitor.sees("method-phase");
    await gallery.shows("method", visitor, whole);
    await goes("/library");
    await visitor.sees("library");
    await gallery.shows("library-empty", visitor, whole);
    await goes("/api/v1");
    await visitor.page.locator("nav a").first().waitFor();
    await gallery.shows("api", visitor, { whole: true, only: "en" });
    await goes("/join/nowhere/at/all");
    await visitor.sees("fatal-error");
    await gallery.shows("fault-nowhere", visitor);
    await goes("/join/01hzzzzzzzzzzzzzzzzzzzzzzz");
    await visitor.page.locator("[data-testid=fatal-error][data-code=bad-token]").waitFor();
    await gallery.shows("fault-link", visitor);
    gallery.isFaultless(stage, [visitor]);

    // From here on the browser itself complains of what is not there.
    const lost = new Gallery();
    await goes("/methods/unheard-of");
    await visitor.page.locator("[data-testid=fatal-error][data-code=unknown-method]").waitFor();
    await lost.shows("fault-method", visitor);
    await goes("/joni/01hzzzzzzzzzzzzzzzzzzzzzzz");
    await visitor.sees("fatal-error");
    await lost.shows("fault-unknown", visitor);
    await goes("/lti/login?iss=https%3A%2F%2Fmoodle.example&login_hint=17");
    await visitor.page.locator("[data-testid=fatal-error][data-code=unknown-platform]").waitFor();
    await lost.shows("fault-launch", visitor);
    await goes("/embed/01hzzzzzzzzzzzzzzzzzzzzzzz");
    await visitor.page.locator("[data-testid=fatal-error][data-code=not-embedded]").waitFor();
    await lost.shows("fault-embed", visitor);
    await visitor.page.route("**/api/methods", (it) => it.abort());
    await goes("/methods");
    await visitor.page.locator("[data-testid=fatal-error][data-code=unreachable]").waitFor();
    await lost.shows("fault-unreachable", visitor);
    lost.isFaultless(stage, []);
  }, LIMIT_S);

  story("at the door, with devices and without, and where nothing is written down", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "fi");
    const aino = await stage.person("Aino Virtanen");
    const whole = { whole: true };
    await aino.page.goto(host.joinLink);
    await aino.sees("kept-for");
    await gallery.shows("join", aino, whole);
    await aino.see("join-submit").click();
    await aino.page.locator("[data-testid=join-name][aria-invalid=true]").waitFor();
    await gallery.shows("join-incomplete", aino, whole);
    await aino.see("join-name").fill(aino.name);
    await aino.see("join-consent-on").check();
    const devices = aino.page.locator("section.devices");
    if (await devices.locator(".ask button").count()) await devices.locator(".ask button").click();
    await devices.locator("select").first().waitFor();
    await gallery.shows("join-devices", aino, whole);
    const others = [];
    for (const microphone of ["none", "denied"]) {
      const guest = await stage.person(`Guest ${microphone}`, { microphone });
      await guest.arrives(host.joinLink, { language: "fi" });
      await guest.see("join-submit").click();
      await guest.sees("device-problem");
      await gallery.shows(`join-${microphone}`, guest, whole);
      await guest.see("join-listening").click();
      await guest.see("room-name").waitFor();
      await gallery.shows(`room-${microphone}`, guest);
      others.push(guest);
    }
    gallery.isFaultless(stage, [aino, host, ...others]);

    const mute = await stage.server({ model: stage.path("none.bin") });
    const visitor = await stage.person("Visitor");
    await visitor.page.goto(mute.origin);
    await visitor.sees("no-transcription");
    await gallery.shows("start-unwritten", visitor, whole);
    const quiet = await stage.host(mute, TITLE, "fi");
    await visitor.page.goto(quiet.joinLink);
    await visitor.sees("join-consent-unasked");
    await gallery.shows("join-unwritten", visitor, whole);
    await gallery.shows("host-unwritten", quiet, whole);
    gallery.isFaultless(stage, [visitor, quiet]);
  }, LIMIT_S);

  story("the host before anything runs, with every dialog", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "fi");
    const whole = { whole: true };
    await host.sees("method-choose-troika");
    await gallery.shows("host-empty", host, whole);
    const broken = { name: "own.toml", mimeType: "text/plain", buffer: Buffer.from('id = "own"\nphases = 3\n') };
    await host.see("method-upload").setInputFiles(broken);
    await host.sees("method-faults");
    for (const [language, words] of [["fi", "ei sovi tähän"], ["sv", "passar inte här"], ["en", "does not fit here"]]) {
      await host.page.locator(`header button[lang=${language}]`).click();
      await host.see("method-faults").getByText(words).waitFor();
    }
    await gallery.shows("host-method-faults", host, whole);

    const people = await silent(server, host.joinLink, NAMES.slice(0, 6));
    await host.person(people[5]).waitFor();
    await host.choosesMethod("one-two-four-all", { solo: 5, pair: 5 }, QUESTION);
    await gallery.shows("host-plan", host, whole);
    await host.see("method-another").click();
    await host.see("keep-open").click();
    await host.see("keep-first").selectOption(String(people[0].number));
    await host.see("keep-second").selectOption(String(people[1].number));
    await host.see("keep-save").click();
    await host.page.locator("dialog[open] [role=status] li").waitFor();
    await gallery.shows("host-wishes", host);
    await leaves(host);
    await host.see("glossary-open").click();
    await host.see("glossary-field").fill("Kalasatama, Öztürk, lähikirjasto");
    await gallery.shows("host-glossary", host);
    await leaves(host);
    await host.see("broadcast-open").click();
    await host.see("broadcast-field").fill("Viisi minuuttia vielä. Kirjoittakaa tärkein ajatuksenne viesteihin.");
    await host.see("broadcast-send").click();
    await host.sees("broadcast-sent");
    await gallery.shows("host-broadcast", host);
    await leaves(host);

    await host.opensRooms(3);
    await gallery.shows("host-rooms-empty", host, whole);
    for (const [at, it] of people.entries()) await host.moves(it, `room-${1 + (at % 2)}`);
    const [bo, chao, dilara] = people.map(({ socket }) => socket);
    bo.say({ type: "raise-hand", on: true });
    dilara.say({ type: "raise-hand", on: true });
    dilara.say({ type: "call", on: true });
    chao.say({ type: "call", on: true });
    await eventually("two rooms call", async () => (await host.see("host-call").count()) === 2);
    await eventually("two hands", async () => (await host.see("host-hand").count()) === 2);
    await gallery.shows("host-calls", host, whole);
    await host.see("call-see").first().click();
    await host.see("host-transcribes").click();
    await host.page.locator("[data-testid=host-transcribes][aria-pressed=false]").waitFor();
    await gallery.shows("host-calls-seen", host, whole);
    await host.see("host-end").click();
    await gallery.shows("host-end", host);
    await host.see("host-end-confirm").click();
    await host.sees("host-ended");
    await gallery.shows("host-ended", host, whole);
    gallery.isFaultless(stage, [host]);
    people.forEach(({ socket }) => socket.close());
  }, LIMIT_S);

  story("a room, from one person to eight, and all that one can do in it", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "fi");
    const [aino] = await stage.joining(host.joinLink, ["Aino Virtanen"], { language: "fi", consent: "declined" });
    await gallery.shows("room-alone", aino);
    const arrive = (from, to) => silent(server, host.joinLink, NAMES.slice(from, to), { consent: from ? "on" : "declined" });
    const people = await arrive(0, 1);
    const count = (number) => eventually(`${number} tiles`, async () => (await aino.see("tile").count()) === number);
    await count(2);
    await gallery.shows("room-2", aino);
    people.push(...(await arrive(1, 4)));
    await count(5);
    await gallery.shows("room-5", aino);
    people.push(...(await arrive(4, 7)));
    await count(8);
    await gallery.shows("room-8", aino);
    people.push(...(await silent(server, host.joinLink, ["Iiris", "Jussi", "Karin"])));
    await aino.page.locator("details.rest").waitFor();
    await gallery.shows("room-many", aino);

    const [bo, chao, dilara] = people.map(({ socket }) => socket);
    await host.opensRooms(2);
    for (const it of [aino, ...people.slice(0, 4)]) await host.moves(it, "room-1");
    await aino.isIn("room-1");
    bo.say({ type: "raise-hand", on: true });
    dilara.say({ type: "raise-hand", on: true });
    await aino.see("raise-hand").click();
    await eventually("three hands", async () => (await aino.see("tile-hand").count()) === 3);
    await gallery.shows("room-hands", aino, { each: async () => chao.say({ type: "react", reaction: "heart" }) });
    await aino.see("react").click();
    await gallery.shows("room-reactions", aino);
    await aino.page.keyboard.press("Escape");
    for (const text of ["Hei kaikki! Tässä se linkki, josta puhuin:\nhttps://vuoro.example/koulupiha", "Sivulla 3 on kuva."]) {
      bo.say({ type: "post", text });
    }
    chao.say({ type: "post", text: "Kiitos!" });
    await eventually("three posts are told", async () => (await aino.sees("chat-toggle", "unread")) === "3");
    await gallery.shows("room-unread", aino);
    await aino.see("chat-toggle").click();
    await aino.see("chat-field").fill("Olisiko katos");
    await gallery.shows("room-chat", aino);
    await aino.see("chat-close").click();
    await aino.see("call-help").click();
    await aino.sees("call-banner");
    await gallery.shows("room-help", aino);
    await host.see("call-see").click();
    await host.see("broadcast-open").click();
    await host.see("broadcast-field").fill("Viisi minuuttia vielä. Kirjoittakaa tärkein ajatuksenne viesteihin.");
    await host.see("broadcast-send").click();
    await aino.sees("broadcast-text");
    await gallery.shows("room-broadcast", aino);
    await aino.see("broadcast-close").click();
    await aino.see("call-cancel").click();
    await aino.see("toggle-transcription").click();
    await aino.sees("consent-agree");
    await gallery.shows("room-consent", aino);
    await aino.see("consent-agree").click();
    await aino.sees("strike");
    await gallery.shows("room-struck", aino, {
      each: async () => {
        await aino.see("strike").click();
        await eventually("it is told", async () => (await aino.see("struck-told").textContent()) !== "");
      },
    });
    await aino.see("room-off").click();
    await aino.sees("room-on");
    await gallery.shows("room-off-the-record", aino);
    await aino.see("settings").click();
    await aino.sees("settings-dialog");
    await gallery.shows("room-settings", aino);
    await aino.see("data-sound").check();
    await leaves(aino);
    await aino.sees("data-notice");
    await aino.page.keyboard.press("m");
    await gallery.shows("room-sound-only", aino);
    await aino.page.keyboard.press("?");
    await aino.sees("shortcuts-dialog");
    await gallery.shows("room-shortcuts", aino);
    await leaves(aino);
    await aino.see("caption-look").click();
    await aino.see("caption-looks").waitFor();
    await gallery.shows("room-caption-look", aino);
    await aino.see("leave").click();
    await aino.sees("goodbye");
    await gallery.shows("left", aino, { whole: true });
    gallery.isFaultless(stage, [host, aino]);
    people.forEach(({ socket }) => socket.close());
  }, LIMIT_S);

  story("spoken words, in the room, for the host, for the one who said them, for the reader", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "en");
    const [aino, bo] = await stage.joining(host.joinLink, ["Aino Virtanen", "Bo Lindström"]);
    const others = await silent(server, host.joinLink, ["Chao", "Dilara Öztürk-Korhonen"]);
    const spoken = async () => recall(recordings.country.words, await aino.wordsOf("Bo Lindström")) > 0.6;
    await bo.says(recordings.country);
    await eventually("there are words to show", spoken, WORDS_WITHIN_S);
    await aino.sees("balance");
    await gallery.shows("captions", aino);
    await aino.see("mark-idea").last().click();
    await bo.see("mark-worry").last().click();
    await host.room("main").getByTestId("host-follow").click();
    await host.sees("host-reading");
    await aino.sees("followed");
    await gallery.shows("captions-followed", aino);
    await gallery.shows("host-reading", host, { whole: true });
    await aino.see("caption-look").click();
    await aino.see("caption-size-largest").check();
    await aino.see("caption-colours-yellow").check();
    await aino.see("caption-place-below").click();
    await aino.see("caption-look").click();
    await gallery.shows("captions-large", aino);

    for (const text of ["Bussit eivät kulje iltaisin kylille.", "Puita ja penkkejä koulun pihalle."]) {
      others[0].socket.say({ type: "post", text });
      await writes(aino, `${text} Samaa mieltä!`);
    }
    const review = await host.opensReview();
    await review.finds("country");
    await gallery.shows("review-found", review, { whole: true });
    await review.see("review-hit").first().focus();
    await review.page.keyboard.press("Enter");
    await review.see("review-moment").waitFor();
    await review.see("moment-theme").fill("Kunta ja kansalainen");
    await review.see("moment-collect").click();
    await eventually("it is collected", async () => (await review.see("board-theme").count()) === 1);
    await gallery.shows("review-moment", review);
    await review.see("comment-name").fill("Dilara");
    await review.see("comment-text").fill("Tästä kannattaa kysyä myös nuorilta.");
    await review.see("comment-send").click();
    await review.see("comment").waitFor();
    await gallery.shows("review-comment", review);
    await review.see("moment-close").click();
    await review.see("view-board").click();
    await review.see("theme-comments").locator("summary").click();
    await gallery.shows("review-board", review, { whole: true });
    await review.see("view-timeline").click();
    await review.sees("review-timeline");
    await gallery.shows("review-timeline", review, { whole: true });
    await review.see("view-lines").click();
    await review.see("review-query").fill("xyzzy");
    await review.page.locator("[data-testid=review-count][data-count='0']").waitFor();
    await gallery.shows("review-nothing", review, { whole: true });
    await review.see("export-open").click();
    await gallery.shows("review-export", review);
    gallery.isFaultless(stage, [host, aino, bo, review]);

    await host.see("host-end").click();
    await host.see("host-end-confirm").click();
    await aino.see("goodbye").waitFor();
    await gallery.shows("ended", aino, { whole: true });
    await aino.see("pilot-heard-yes").check();
    await aino.see("pilot-line").fill("Aikaa olisi saanut olla enemmän.");
    await aino.see("pilot-send").click();
    await aino.see("pilot-thanks").waitFor();
    await gallery.shows("ended-thanked", aino, { whole: true });
    await review.page.reload();
    await review.see("view-pilots").click();
    await gallery.shows("review-pilots", review, { whole: true });
    await review.see("to-library").click();
    await review.see("library-session").waitFor();
    await gallery.shows("library", review, { whole: true });
    await review.see("library-words").fill("xyzzy");
    await review.page.locator("[data-testid=library-count][data-count='0']").waitFor();
    await gallery.shows("library-none", review, { whole: true });
    const address = await aino.see("check-address").inputValue();
    await aino.page.goto(address);
    await aino.see("check").waitFor();
    await gallery.shows("check", aino, { whole: true });
    await aino.see("check-correct").first().click();
    await aino.sees("check-draft");
    await gallery.shows("check-correcting", aino, { whole: true });
    await aino.see("check-strike").first().click();
    await gallery.shows("check-sure", aino);
    await leaves(aino);
    await aino.see("check-approve").click();
    await aino.see("check-approved").waitFor();
    await gallery.shows("check-approved", aino, { whole: true });
    gallery.isFaultless(stage, [host, aino, bo, review]);
    others.forEach(({ socket }) => socket.close());
  }, LIMIT_S);

  // Three minutes of talk must be past before a room looks back on it.
  if (WHOLE) {
    story("a room looks back", async (stage) => {
      const gallery = new Gallery();
      const server = await stage.server();
      const host = await stage.host(server, TITLE, "fi");
      const [aino, bo] = await stage.joining(host.joinLink, ["Aino Virtanen", "Bo Lindström"], { language: "fi", consent: "declined" });
      const others = await silent(server, host.joinLink, ["Chao"], { consent: "declined" });
      for (let time = 0; time < 4; time += 1) {
        for (const [who, words] of [[aino, recordings.country], [bo, recordings.leisure]]) {
          await who.says(words);
          await who.seesSpeaking(who, true);
          await who.seesSpeaking(who, false);
        }
      }
      const counted = async () => (await aino.messages()).some((it) => it.type === "balance");
      await eventually("it is counted", counted, 240);
      await gallery.shows("room-balance", aino);
      // Groups are made anew: what was talked until now was a round.
      await host.opensRooms(2);
      await aino.sees("look-back");
      await gallery.shows("room-look-back", aino);
      gallery.isFaultless(stage, [aino, bo, host]);
      others.forEach(({ socket }) => socket.close());
    }, LIMIT_S);
  }

  story("a method runs, in the room and for the host, and the server goes away", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "fi");
    const [aino] = await stage.joining(host.joinLink, ["Aino Virtanen"], { language: "fi" });
    const people = await silent(server, host.joinLink, NAMES.slice(0, 7));
    const minutes = { brief: 30, me: 30, best: 30, we: 30, all: 30, choose: 30 };
    const next = async (phase) => {
      await host.see("run-next-now").click();
      await aino.isInPhase(phase);
    };
    await host.choosesMethod("me-we-all", minutes, QUESTION);
    await host.startsMethod();
    await aino.isInPhase("brief");
    await next("me");
    await aino.see("written").fill("Puita, joiden alla istua");
    await gallery.shows("run-solo", aino);
    await gallery.shows("host-run", host, { whole: true });
    await next("best");
    await next("we");
    await aino.sees("moved-notice");
    await gallery.shows("run-group", aino);
    await host.see("run-pause").click();
    await host.sees("run-resume");
    await gallery.shows("run-paused", aino);
    await gallery.shows("host-run-paused", host, { whole: true });
    await host.see("run-resume").click();
    for (const [at, { socket }] of people.entries()) socket.say({ type: "write", text: `Ajatus numero ${at + 1}: varjoa ja penkkejä` });
    await eventually("a line is there", async () => (await aino.see("room-line").inputValue()) !== "");
    await gallery.shows("run-line", aino);
    await aino.see("room-line").pressSequentially("Ja katos sadepäiviksi. ");
    await eventually("it is kept", async () => (await aino.sees("write-state", "state")) === "saved");
    await gallery.shows("run-sheet-kept", aino);
    await next("all");
    await aino.sees("harvest-lines");
    await gallery.shows("run-all", aino);
    await gallery.shows("host-run-all", host, { whole: true });
    const review = await host.opensReview();
    await review.see("view-meetings").click();
    await review.see("meetings-person").selectOption({ label: "Aino Virtanen" });
    await eventually("her meetings are told", async () => (await review.see("meetings-of").innerText()).includes("Aino"));
    for (const it of await review.page.locator("details summary").all()) await it.click();
    await gallery.shows("review-meetings", review, { whole: true });
    await host.see("run-stop").click();
    await gallery.shows("host-run-stop", host);
    await leaves(host);
    gallery.isFaultless(stage, [aino, host, review]);

    await server.kill();
    for (const it of [aino, host]) await it.sees("reconnecting");
    await gallery.shows("room-reconnecting", aino);
    await gallery.shows("host-reconnecting", host, { whole: true });
    gallery.isFaultless(stage, []);
    people.forEach(({ socket }) => socket.close());
  }, LIMIT_S);

  story("chairs, places, cards and turns", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "fi");
    const [aino] = await stage.joining(host.joinLink, ["Aino Virtanen"], { language: "fi" });
    const people = await silent(server, host.joinLink, NAMES);
    const next = async (phase) => {
      await host.see("run-next-now").click();
      await aino.isInPhase(phase);
    };
    const stops = async () => {
      await host.see("run-stop").click();
      await host.see("run-stop-confirm").click();
      await aino.see("step-phase").waitFor({ state: "detached" });
      // Folded for as long as there are rooms.
      await host.see("method-open").click({ timeout: 3_000 }).catch(() => undefined);
    };
    await host.starts("fishbowl", {}, QUESTION);
    await next("bowl");
    for (const { socket } of people.slice(0, 3)) socket.say({ type: "seat", on: true });
    await eventually("three sit", async () => (await aino.see("tile-seat").count()) === 3);
    await gallery.shows("run-seats", aino);
    await stops();
    await host.starts("open-space", {}, QUESTION);
    await next("market");
    await aino.see("topic-text").fill("Koulupiha kaikille");
    await aino.see("topic-add").click();
    await aino.page.locator("[data-testid=topics] li").waitFor();
    await gallery.shows("run-topics", aino);
    await next("first-slot");
    await gallery.shows("run-places", aino);
    await aino.see("go-to-room-1").click();
    await aino.isIn("room-1");
    await gallery.shows("run-place", aino);
    await stops();
    await host.starts("crowd-sourcing-25-10", {}, QUESTION);
    await aino.isInPhase("write");
    await aino.see("written").fill("Lähikirjasto auki myös yöllä");
    for (const [at, { socket }] of people.entries()) socket.say({ type: "write", text: `Kortti ${at + 1}: penkkejä pysäkeille` });
    await eventually("it is kept", async () => (await aino.sees("write-state", "state")) === "saved");
    await next("exchange");
    await next("score");
    await aino.sees("score-card");
    await gallery.shows("run-score", aino);
    await stops();
    await host.starts("six-hats", {}, QUESTION);
    await aino.isInPhase("blue-start");
    await gallery.shows("run-hats", aino);
    await next("white");
    await next("red");
    await aino.sees("step-turn");
    await gallery.shows("run-turn", aino);
    await stops();
    await host.starts("troika", {}, QUESTION);
    await aino.isInPhase("reflect");
    await next("meet");
    await next("tell");
    await aino.sees("step-role");
    await gallery.shows("run-role", aino);
    gallery.isFaultless(stage, [aino, host]);
    people.forEach(({ socket }) => socket.close());
  }, LIMIT_S);

  story("a shared screen, and the same person in two windows", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "fi");
    const [aino, bo] = [await stage.person("Aino Virtanen"), await stage.person("Bo Lindström")];
    await bo.page.addInitScript(screen);
    for (const it of [aino, bo]) await it.joins(host.joinLink, { consent: "declined", language: "fi" });
    const people = await silent(server, host.joinLink, ["Chao"]);
    await bo.page.setViewportSize({ width: 1280, height: 800 });
    await bo.see("share-screen").click();
    await bo.sees("sharing-notice");
    await aino.sees("screen-tile");
    await eventually("the screen is seen", () => aino.see("screen-tile").locator("video").evaluate((it) => it.videoWidth > 0));
    await gallery.shows("room-sharing", bo);
    await gallery.shows("room-screen", aino);
    await gallery.shows("host-sharing", host, { whole: true });
    gallery.isFaultless(stage, [aino, bo, host]);
    people.forEach(({ socket }) => socket.close());
  }, LIMIT_S);

  story("inside somebody else's page", async (stage) => {
    const gallery = new Gallery();
    const embedding = await EmbeddingPage.open(stage);
    const { tokens, session } = embedding;
    const more = "<style>body { margin: 0 } vuoro-session { display: block; min-height: 700px }</style>";
    for (const [name, token] of [["embed-join", tokens.join], ["embed-host", tokens.host], ["embed-review", tokens.review]]) {
      await embedding.shows({ session, token, lang: "en", name: "Aino" }, { more });
      await embedding.event("ready");
      await gallery.shows(name, embedding, { ground: await embedding.inside() });
      if (name !== "embed-join") continue;
      await embedding.command("join", { microphone: true });
      await embedding.event("joined");
      await gallery.shows("embed-room", embedding, { ground: await embedding.inside() });
    }
    gallery.isFaultless(stage, []);
  }, LIMIT_S);

  story("from one person's ideas to everybody's", async (stage) => {
    const gallery = new Gallery();
    const server = await stage.server();
    const host = await stage.host(server, TITLE, "fi");
    const [aino] = await stage.joining(host.joinLink, ["Aino Virtanen"], { language: "fi" });
    const people = await silent(server, host.joinLink, NAMES.slice(0, 5));
    const whole = { whole: true };
    const all = (say) => people.forEach(({ socket }, at) => socket.say(say(at)));
    const next = async (phase) => {
      await host.see("run-next-now").click();
      await aino.isInPhase(phase);
    };
    const idea = (text) => aino.see("idea").filter({ hasText: text });
    const brings = async (text) => {
      await aino.see("idea-text").fill(text);
      await aino.page.keyboard.press("Enter");
      await idea(text).waitFor();
    };
    const minutes = { own: 30, pair: 30, wall: 30, vote: 30, cluster: 30 };
    await host.starts("tuplatiimi", minutes, QUESTION);
    await aino.isInPhase("own");
    await gallery.shows("ideas-none", aino, whole);
    await brings("Puita, joiden alla voi istua");
    await brings("Penkkejä");
    await gallery.shows("ideas-alone", aino, whole);
    await aino.see("idea-edit").last().click();
    await aino.see("idea-edited").fill("Penkkejä ja pöytiä eväille, myös sateelta suojassa");
    await gallery.shows("ideas-edited", aino, whole);
    await aino.see("idea-save").click();
    const said = ["Kiipeilytelineitä", "Lähikirjastoauton pysäkki koulupihan viereen", "Valaistus iltakäyttöön", "Jääkenttä", "Viljelylaatikoita"];
    all((at) => ({ type: "write-idea", idea: null, text: said[at] }));
    await next("pair");
    await eventually("theirs lie here, too", async () => (await aino.see("idea").count()) >= 3);
    for (const text of ["Penkkejä", "Puita"]) await idea(text).getByTestId("idea-tick").check();
    await aino.sees("idea-combined");
    await gallery.shows("ideas-combining", aino, whole);
    await aino.see("idea-combined").fill("Puita, joiden alla on penkkejä ja pöytiä");
    await aino.see("idea-combine").click();
    await idea("Puita, joiden alla on").getByTestId("idea-choose").click();
    await aino.page.locator("[data-testid=idea][data-chosen=true]").waitFor();
    await gallery.shows("ideas-room", aino, whole);
    for (const { socket } of people) {
      const there = socket.messages.filter((it) => it.type === "ideas").at(-1)?.ideas ?? [];
      if (!there.some((it) => it.text.startsWith("Puita")) && there[0]) socket.say({ type: "choose-idea", idea: there[0].idea, on: true });
    }
    await next("wall");
    await eventually("one of each room", async () => (await aino.see("chosen-idea").count()) >= 2);
    await gallery.shows("ideas-wall", aino, whole);
    await next("vote");
    const chosen = await aino.see("chosen-idea").evaluateAll((them) => them.map((it) => Number(it.dataset.idea)));
    all((at) => ({ type: "vote", idea: chosen[at % 2], votes: 1 }));
    await aino.see("vote-1").first().click();
    await eventually("the host sees them come", async () => (await host.sees("voters", "voters")) === "6");
    await gallery.shows("ideas-vote", aino, whole);
    await gallery.shows("host-vote", host, whole);
    await next("cluster");
    await host.see("idea-group-name").first().fill("Vihreä piha");
    await host.page.keyboard.press("Enter");
    await aino.see("idea-group").waitFor();
    await aino.see("chosen-idea").locator("summary").first().click();
    await gallery.shows("ideas-result", aino, whole);
    const review = await host.opensReview();
    await review.see("view-ideas").click();
    await review.sees("chosen-idea");
    await gallery.shows("review-ideas", review, whole);
    gallery.isFaultless(stage, [aino, host, review]);
    people.forEach(({ socket }) => socket.close());
  }, LIMIT_S);

  story("an assistant, and whom a tenant's page cannot let in", async (stage) => {
    const gallery = new Gallery();
    const { page: embedding, session, links, ask, token } = await lahti(stage, { language: "fi" });
    const more = "<style>body { margin: 0 } vuoro-session { display: block; min-height: 700px }</style>";
    const shows = async (name, attributes) => {
      await embedding.shows({ session, lang: "fi", ...attributes }, { more });
      return { ground: await embedding.inside() };
    };
    const [bo] = await silent(embedding.server, links.join, ["Bo Lindström"]);
    const assistant = await shows("embed-assistant", { token: token({ role: "assistant", name: "Apu" }) });
    await embedding.event("overview.changed", (it) => it.rooms.some((room) => room.people.length === 1));
    bo.socket.say({ type: "call", on: true });
    await embedding.frame.getByTestId("host-call").waitFor();
    await gallery.shows("embed-assistant", embedding, assistant);
    for (const [code, wrong] of [
      ["token-expired", { token: token({ exp: 1 }) }],
      ["bad-claims", { token: token({ role: "king" }) }],
      ["bad-token", { token: `${token({}).slice(0, -4)}AAAA` }],
    ]) {
      const refused = await shows(code, wrong);
      await embedding.frame.locator(`[data-testid=fatal-error][data-code=${code}]`).waitFor();
      await gallery.shows(`embed-${code}`, embedding, refused);
    }
    const { frame } = await ask(`/sessions/${session}/tickets`, { person: "u-18", name: "Bo", role: "participant" });
    const page = (src) => `<!doctype html><html lang="en"><title>Event</title><style>body { margin: 0 }</style><iframe src="${src}" title="Vuoro" style="width: 100%; height: 700px; border: 0"></iframe></html>`;
    for (const time of ["embed-ticket", "embed-ticket-used"]) {
      embedding.foreign.document = page(frame);
      await embedding.page.goto("about:blank");
      await embedding.page.goto(embedding.foreign.origin);
      const ground = await (await embedding.page.waitForSelector("iframe")).contentFrame();
      await ground.getByTestId(time === "embed-ticket" ? "join-name" : "fatal-error").waitFor();
      await gallery.shows(time, embedding, { ground });
    }
    gallery.isFaultless(stage, []);
    bo.socket.close();
  }, LIMIT_S);
});

after(() => {
  console.log(`${shown.size} states, ${total.looks} looks, ${total.findings} findings`);
  assert.ok(shown.size >= 110, `${shown.size} states`);
});

/** Closes what lies over the page. */
async function leaves(person) {
  await person.page.keyboard.press("Escape");
  await person.page.locator("dialog[open]").waitFor({ state: "detached" });
}

async function writes(person, text) {
  if (!(await person.see("chat").isVisible())) await person.see("chat-toggle").click();
  await person.see("chat-field").fill(text);
  await person.page.keyboard.press("Enter");
  await person.see("chat-post").filter({ hasText: text }).waitFor();
  await person.see("chat-close").click();
}

/** In the page: a screen with something on it, as a machine without one has nothing to show. */
function screen() {
  navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1280, height: 720 });
    const pen = canvas.getContext("2d");
    const paint = () => {
      pen.fillStyle = "#f7f7fb";
      pen.fillRect(0, 0, 1280, 720);
      pen.fillStyle = "#223";
      pen.font = "bold 54px sans-serif";
      pen.fillText("Koulupihan toiveet", 90, 130);
      pen.fillText(String(Math.round(performance.now() / 100)), 1080, 690);
    };
    paint();
    setInterval(paint, 80);
    return canvas.captureStream(12);
  };
}
