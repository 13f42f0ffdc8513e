// What goes wrong around a session is told to whoever did it, in a form that can be acted on, and
// disturbs nobody else.
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";

import { eventually, story } from "./harness.mjs";
import { Server, vuoro } from "./help/server.mjs";
import { RawSocket } from "./help/socket.mjs";

const MESSAGE_BYTES_MAX = 64 * 1024;

story("a page that sends what it should not is told so and let go; Alice notices nothing", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const alice = await stage.person("Alice");
  await alice.joins(host.joinLink);
  const token = tokenOf(host.joinLink);
  const join = { type: "join", token, name: "Mallory", language: "en", consent: "on" };

  for (const [what, code, send] of [
    ["a wrong token", "bad-token", (it) => it.say({ ...join, token: `${token.slice(0, -4)}AAAA` })],
    ["no token at all", "bad-token", (it) => it.say({ ...join, token: "" })],
    ["a participant who wants to lead", "not-allowed", (it) => it.say({ type: "watch", token })],
    ["a wish before joining", "not-allowed", (it) => it.say({ type: "media" })],
    ["an empty name", "bad-name", (it) => it.say({ ...join, name: " \u200b " })],
    ["a name of 61 letters", "bad-name", (it) => it.say({ ...join, name: "a".repeat(61) })],
    ["broken JSON", "malformed", (it) => it.sendText("{")],
    ["an unknown field", "malformed", (it) => it.say({ ...join, admin: true })],
    ["an unknown message", "malformed", (it) => it.say({ type: "become-host" })],
    ["bytes", "malformed", (it) => it.sendBytes(Buffer.from([0, 1, 2]))],
    ["too much", "too-large", (it) => it.sendText("x".repeat(MESSAGE_BYTES_MAX + 1))],
  ]) {
    const mallory = await RawSocket.connect(server.origin);
    send(mallory);
    await isRefused(mallory, what, code);
    if (code !== "malformed" && code !== "too-large") continue;
    const inside = await RawSocket.connect(server.origin);
    inside.say(join);
    await inside.hears("welcome");
    send(inside);
    await isRefused(inside, `${what}, after joining`, code);
  }

  const eve = await RawSocket.connect(server.origin);
  eve.say({ ...join, name: "Eve" });
  await eve.hears("welcome");
  for (const wish of [
    { type: "open-rooms", count: 2 },
    { type: "move", participant: 1, room: "room-1" },
    { type: "end" },
  ]) {
    eve.messages.length = 0;
    eve.say(wish);
    assert.equal((await eve.hears("error")).code, "not-allowed", wish.type);
  }
  eve.messages.length = 0;
  eve.say({ type: "answer", number: 1, sdp: "v=0\r\nnonsense" });
  assert.equal((await eve.hears("error")).code, "media-failed");
  eve.messages.length = 0;
  eve.say({ type: "view", slots: Array(8).fill("small") });
  assert.equal((await eve.hears("error")).code, "malformed", "there are seven slots");
  assert.equal(eve.closed, false, "a wish that is not granted is no reason to be sent away");
  eve.close();

  const elsewhere = RawSocket.connect(server.origin, { Origin: "https://evil.example" });
  await assert.rejects(elsewhere, { status: 403 }, "pages of others may not connect");

  const sent = async () => (await alice.stats()).outbound.reduce((sum, it) => sum + it.packetsSent, 0);
  const before = await sent();
  await eventually("Alice goes on sending", async () => (await sent()) > before);
  assert.equal(await alice.negotiations(), 1);
  assert.equal((await alice.messages()).filter((it) => it.type === "welcome").length, 1);
  assert.deepEqual(alice.complaints, []);
});

story("a link that is not right says so on the page and over HTTP", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const other = await stage.host(server, "Toinen");
  const [here, there] = [new URL(host.joinLink), new URL(other.joinLink)];
  const guest = await stage.person("Guest");
  for (const [path, code] of [
    [`/join/nosuchsession${here.hash}`, "unknown-session"],
    [`${here.pathname}#wrong`, "bad-token"],
    [here.pathname, "bad-token"],
    [`${here.pathname}${there.hash}`, "bad-token"],
    [`/review/${here.pathname.split("/")[2]}#wrong`, "bad-token"],
    ["/join/01ARZ3NDEKTSV4RRFFQ69G5FAV#wrong", "bad-token"],
  ]) {
    await guest.page.goto("about:blank");
    await guest.page.goto(server.origin + path);
    assert.equal(await guest.sees("fatal-error", "code"), code, path);
  }

  const ask = async (path, options) => {
    const answer = await fetch(server.origin + path, options);
    return [answer.status, (await answer.json()).code];
  };
  const headers = { "Content-Type": "application/json" };
  const post = (body) => ask("/api/sessions", { method: "POST", headers, body });
  assert.deepEqual(await ask("/api/nothing"), [404, "not-found"]);
  assert.deepEqual(await ask("/api/sessions/nosuchsession"), [404, "unknown-session"]);
  assert.deepEqual(await ask(`/api${here.pathname.replace("join", "sessions")}`), [401, "bad-token"]);
  assert.deepEqual(await post("{"), [400, "malformed"]);
  assert.deepEqual(await post(JSON.stringify({ title: "x", language: "en", admin: true })), [400, "malformed"]);
  assert.deepEqual(await post(JSON.stringify({ title: " ", language: "en" })), [400, "bad-title"]);
  assert.deepEqual(await post(JSON.stringify({ title: "x".repeat(17_000), language: "en" })), [413, "too-large"]);
  const search = { headers: { Authorization: `Bearer ${tokenOf(host.joinLink)}` } };
  const notes = `/api${here.pathname.replace("join", "sessions")}/search`;
  assert.deepEqual(await ask(notes, search), [403, "not-allowed"], "participants do not read the notes");
});

story("the ninth person does not fit into a room of eight, and the host reads why", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  await host.opensRooms(1);
  const crowd = [];
  for (let number = 1; number <= 9; number += 1) {
    const member = await RawSocket.connect(server.origin);
    const token = tokenOf(host.joinLink);
    member.say({ type: "join", token, name: `Guest ${number}`, language: "en", consent: "on" });
    const { participant } = await member.hears("welcome");
    crowd.push({ number: participant, member });
  }
  for (const it of crowd.slice(0, 8)) await host.moves(it, "room-1");
  await host.asksToMove(crowd[8], "room-1");
  assert.equal(await host.sees("toast-error", "code"), "room-full");
  await host.room("main").locator(host.person(crowd[8])).waitFor();
  assert.equal(await host.room("room-1").getByTestId("host-person").count(), 8);
  assert.ok(crowd.every(({ member }) => !member.closed));
  crowd.forEach(({ member }) => member.close());
});

story("whoever has no microphone, or may not use it, reads why and can listen", async (stage) => {
  const server = await stage.server();
  const host = await stage.host(server);
  const mute = await stage.person("Mute", { microphone: "none" });
  const shy = await stage.person("Shy", { microphone: "denied" });
  assert.equal(await mute.joinsListening(host.joinLink), "no-microphone");
  assert.equal(await shy.joinsListening(host.joinLink), "denied");
  const [talker] = await stage.joining(host.joinLink, ["Talker"]);
  await mute.hearsAndSees(talker);
  await shy.hearsAndSees(talker);
});

story("over plain HTTP from another machine people read why there is no microphone", async (stage) => {
  const addresses = Object.values(os.networkInterfaces()).flat();
  const address = addresses.find((it) => it.family === "IPv4" && !it.internal)?.address;
  if (!address) return stage.note("not tried: this machine has no address but its own");
  const config = stage.path("open.toml");
  fs.writeFileSync(config, '[server]\nlisten = "0.0.0.0:1"\n');
  const server = await stage.server({ config });
  const host = await stage.host(server);
  const guest = await stage.person("Guest");
  await guest.arrives(host.joinLink.replace("localhost", address));
  assert.equal(await guest.sees("device-problem", "code"), "insecure");
  await guest.see("join-submit").click();
  await guest.isInside();
});

story("without a good model everything but the words works, and every page says so", async (stage) => {
  const guest = await stage.person("Guest");
  let host = null;
  for (const [file, content, state] of [
    ["none/ggml-base.bin", null, "model-missing"],
    ["ggml-base.bin", "half a model", "model-damaged"],
    ["my-own.bin", "not a model", "model-damaged"],
  ]) {
    const model = stage.path(file);
    if (content) fs.writeFileSync(model, content);
    const server = await stage.server({ model });
    const status = await (await fetch(`${server.origin}/api/status`)).json();
    assert.equal(status.transcription.state, state, file);
    await guest.page.goto(server.origin);
    assert.equal(await guest.sees("no-transcription", "state"), state);
    await host?.page.close();
    if (host) await host.opensSession(server.origin, "Asukasilta", "en");
    else host = await stage.host(server);
    assert.equal(await host.sees("no-transcription", "state"), state);
    await guest.joins(host.joinLink, { consent: null });
    assert.equal(await guest.sees("no-transcription", "state"), state);
    await host.page.locator("[data-testid=host-person][data-consent=declined]").waitFor();
    await server.kill();
  }
});

story("a start that cannot succeed ends at once and says what to do", async (stage) => {
  const server = await stage.server();
  const fails = async (settings) => (await stage.prepareServer(settings)).fails();

  const samePort = await fails({ port: server.port });
  assertFailure(samePort, /port/, /--port/);
  const [port, squatter] = await occupied();
  assertFailure(await fails({ port }), new RegExp(String(port)), /--port/);
  squatter.close();

  const sameData = await fails({ data: server.data });
  assertFailure(sameData, /another vuoro/i, /--data/);
  const file = stage.path("a-file");
  fs.writeFileSync(file, "");
  assertFailure(await fails({ data: file }), /data folder/, /--data/);
  assertFailure(await fails({ data: `${file}/deeper` }), /data folder/, /--data/);

  const config = stage.path("mistyped.toml");
  fs.writeFileSync(config, '[speech]\nmodle = "x.bin"\n');
  assertFailure(await fails({ config }), /modle/, /mistyped\.toml/);
  const checked = vuoro(["check-config", "--config", config]);
  assertFailure({ code: checked.code, output: checked.stderr }, /modle/, /mistyped\.toml/);
  assertFailure(await fails({ config: stage.path("absent.toml") }), /absent\.toml/);

  const status = await fetch(`${server.origin}/api/status`);
  assert.ok(status.ok, "the one that ran goes on");
});

story("an address that is none is a page to people, and a code to programs", async (stage) => {
  const server = await stage.server();
  const asks = (path, Accept) => fetch(`${server.origin}${path}`, { headers: { Accept } });
  const page = await asks("/joni/01hzzzzzzzzzzzzzzzzzzzzzzz", "text/html,*/*;q=0.8");
  assert.deepEqual([page.status, page.headers.get("content-type")], [404, "text/html; charset=utf-8"]);
  assert.match(await page.text(), /<meta name="vuoro-fault" content="not-found"/);
  assert.ok(page.headers.get("content-security-policy").startsWith("default-src 'self'"));
  for (const [path, accept] of [["/joni", "*/*"], ["/assets/x.js", "*/*"], ["/api/joni", "text/html"]]) {
    const answer = await asks(path, accept);
    assert.deepEqual([answer.status, (await answer.json()).code], [404, "not-found"], path);
  }
});

story("check-config prints what is in effect, as a file could say it", async (stage) => {
  const config = stage.path("vuoro.toml");
  fs.writeFileSync(config, '[server]\nlisten = "127.0.0.1:9000"\n');
  const shown = vuoro(["check-config", "--config", config]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /listen = "127\.0\.0\.1:9000"/);
  assert.match(shown.stdout, /backlog_s_max = 120/);
  fs.writeFileSync(config, shown.stdout);
  assert.equal(vuoro(["check-config", "--config", config]).stdout, shown.stdout);
});

function tokenOf(link) {
  return decodeURIComponent(new URL(link).hash.slice(1));
}

async function isRefused(socket, what, code) {
  const error = await socket.hears("error").catch(() => null);
  assert.deepEqual([error?.code, error?.fatal], [code, true], what);
  await socket.isClosed();
}

/** Fails plainly: an exit code, a sentence with what to do, and no backtrace. */
function assertFailure({ code, output }, ...says) {
  assert.notEqual(code, 0, output);
  assert.notEqual(code, null, output);
  says.forEach((it) => assert.match(output, it));
  assert.doesNotMatch(output, /panicked|stack backtrace/);
}

/** A port whose TCP half somebody else has. */
async function occupied() {
  const port = await Server.freePort();
  const squatter = net.createServer().unref();
  await new Promise((resolve) => squatter.listen(port, "127.0.0.1", resolve));
  return [port, squatter];
}
