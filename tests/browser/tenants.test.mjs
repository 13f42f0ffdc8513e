// A tenant's page, with people whom its own server lets in: tokens that are renewed before they run out,
// a plain frame with a one-time ticket, and commands given too early.
import assert from "node:assert/strict";

import { eventually, story } from "./harness.mjs";
import { ForeignServer } from "./help/embedding.mjs";
import { inSeconds, lahti } from "./help/lahti.mjs";

const VALID_S = 10;
const PROVIDER = `element.tokenProvider = async () => {
  const answer = await fetch("/my-token");
  if (!answer.ok) throw new Error("no token now");
  return answer.text();
};`;

story("a token is renewed shortly before it runs out, and nobody notices", async (stage) => {
  // The first is good for ten seconds, the second too; the server fails at the third, and then does not.
  const claims = (time) => (time === 3 ? null : { exp: inSeconds(time < 3 ? VALID_S : 600) });
  const { page, session, asked } = await lahti(stage, { claims });
  // Given before there is a frame: done as soon as it is ready.
  const early = `window.early = element.command("join", { microphone: true }).then(() => "done", (error) => error.code);`;
  await page.shows({ session, lang: "en" }, { script: `${early}\n${PROVIDER}` });
  await page.event("ready");
  assert.equal(await page.page.evaluate(() => window.early), "done");
  const { participant } = await page.event("joined");
  assert.equal((await page.command("state")).people[0].name, "Aino", "the tenant's word");

  await eventually("a second token is asked for", () => asked.length >= 2, 30);
  const waited_s = (asked[1] - asked[0]) / 1000;
  stage.note(`renewed ${waited_s.toFixed(1)} s into a token of ${VALID_S} s`);
  // Whole seconds stand in a token.
  assert.ok(waited_s > VALID_S / 2 && waited_s < VALID_S, `${waited_s} s`);
  await eventually("a third and a fourth", () => asked.length >= 4, 60);
  // The first two have run out, and Aino still sits in the same seat.
  await eventually("no token but the last is good", () => performance.now() > asked[1] + VALID_S * 1000 + 1_000, 30);
  const state = await page.command("state");
  assert.equal(state.participant, participant);
  assert.equal(state.phase, "in-room");
  const told = (await page.seen()).map((it) => it.name);
  assert.ok(!told.includes("left"), told.join(" "));
  assert.equal(told.filter((it) => it === "joined").length, 1);
  assert.equal(page.urls().some((it) => it.includes("eyJ")), false, "no token in any URL");
});

story("a plain frame comes in by a ticket that works once, and only on Lahti's page", async (stage) => {
  const { page, session, ask } = await lahti(stage);
  const { frame } = await ask(`/sessions/${session}/tickets`, { person: "u-18", name: "Bo", role: "participant" });
  page.foreign.document = `<!doctype html><html lang="en"><title>Event</title><iframe id="it" src="${frame}" title="Vuoro" allow="microphone; camera" style="width: 100%; height: 90vh"></iframe>`;
  await page.page.goto(page.foreign.origin);
  const inside = await (await page.page.waitForSelector("#it")).contentFrame();
  await inside.getByTestId("join-name").waitFor();
  assert.equal(await inside.getByTestId("join-name").inputValue(), "Bo");
  assert.ok(!inside.url().includes("#"), "the ticket is not in the address any more");
  // Again, it is used up.
  await page.page.goto("about:blank");
  await page.page.goto(page.foreign.origin);
  const again = await (await page.page.waitForSelector("#it")).contentFrame();
  await eventually("a used ticket is told so", async () => (await again.locator("body").innerText()).match(/lippu|biljett|ticket/i));
  // A page of somebody else's may not show it.
  const other = await ForeignServer.start();
  stage.atEnd(() => other.stop());
  other.document = page.foreign.document;
  await page.page.goto(other.origin);
  await eventually("the browser says why", async () => (await page.account()).includes("frame-ancestors"));
});

story("an assistant helps in the rooms and leads nothing", async (stage) => {
  const { page, session, links } = await lahti(stage, { claims: () => ({ role: "assistant", name: "Apu" }) });
  const bob = await stage.person("Bob");
  await bob.joins(links.join);
  await page.shows({ session, lang: "en", "min-height": "50rem" }, { script: PROVIDER });
  assert.equal((await page.event("ready")).role, "assistant");
  const able = (await page.command("capabilities")).commands;
  assert.ok(able.includes("move") && able.includes("answerHelp"));
  for (const leads of ["openRooms", "runMethod", "endSession", "broadcast"]) {
    assert.ok(!able.includes(leads), leads);
    const takes = { openRooms: { count: 2 }, runMethod: { method: "troika" }, broadcast: { text: "x" } }[leads] ?? {};
    assert.equal(await page.refusal(leads, takes), "not-allowed");
  }
  await page.event("overview.changed", (it) => it.rooms.some((room) => room.people.length === 1));
  const frame = page.frame;
  await frame.getByTestId("host-present").waitFor();
  for (const hidden of ["host-end", "host-open-rooms", "host-join-link"]) {
    assert.equal(await frame.getByTestId(hidden).count(), 0, hidden);
  }
  await page.picture(stage.screenshot("assistant"));
});
