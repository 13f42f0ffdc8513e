// A tenant's own server: it opens a session over the API, and is told what happens in it by signed
// messages, in order, however often it fails. No browser is needed. The functions that check a signature
// are those of the integrators' page, in each of its languages that this machine has.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";

import { eventually, story } from "./harness.mjs";
import { vuoro } from "./help/server.mjs";
import { RawSocket } from "./help/socket.mjs";

const PAGE = fs.readFileSync(path.resolve(import.meta.dirname, "../../src/server/integrators.md"), "utf8");
const { isGenuine, token } = new Function("crypto", `${recipe("js", "isGenuine")}\n${recipe("js", "token")}\nreturn { isGenuine, token };`)(crypto);

/** The piece of code on the integrators' page that has this word in it. */
function recipe(language, word) {
  const pieces = [...PAGE.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, "g"))];
  return pieces.find(([, code]) => code.includes(`${word}(`))[1];
}

/** Lahti's own server. `answers` are the statuses of the first messages; 200 for the rest. */
class Receiver {
  /** As they came, taken or not. */
  messages = [];
  taken = [];
  answers;
  #server;

  static async start(stage, answers = []) {
    const it = new Receiver();
    it.answers = answers;
    it.#server = http.createServer((request, answer) => {
      const pieces = [];
      request.on("data", (piece) => pieces.push(piece));
      request.on("end", () => {
        const message = { headers: request.headers, body: Buffer.concat(pieces).toString(), at: performance.now() };
        it.messages.push(message);
        const status = it.answers.shift() ?? 200;
        if (status === 200) it.taken.push(JSON.parse(message.body));
        answer.writeHead(status, status === 302 ? { Location: "/elsewhere" } : {}).end();
      });
    });
    await new Promise((resolve) => it.#server.listen(0, "127.0.0.1", resolve));
    stage.atEnd(() => it.#server.close());
    return it;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/vuoro`;
  }

  /** The events taken so far, without their place. */
  get events() {
    return this.taken.map((it) => it.event);
  }
}

async function lahti(stage, receiver) {
  const printed = vuoro(["tenant", "lahti", "--origin", "https://lahti.example", "--webhook", receiver.url]);
  assert.equal(printed.code, 0, printed.stderr);
  const config = stage.path("lahti.toml");
  const server = await stage.prepareServer({ config });
  fs.writeFileSync(config, `[server]\npublic_url = "${server.origin}"\n\n${printed.stdout}`);
  await server.start();
  const word = (name) => new RegExp(`^${name} = "(.*)"$`, "m").exec(printed.stdout)[1];
  const keys = { api: word("api_key"), sign: word("hs256"), webhook: word("secret") };
  const ask = async (method, path, body) => {
    const headers = { Authorization: `Bearer ${keys.api}`, "Content-Type": "application/json" };
    const answer = await fetch(`${server.origin}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, text);
    return text ? JSON.parse(text) : null;
  };
  return { server, config, keys, ask };
}

/** Somebody comes in by a token of Lahti's, and stays. */
async function comesIn({ server, keys }, session, name) {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const signed = token({ iss: "lahti", aud: server.origin, exp, session, person: `u-${name}`, name, role: "participant" }, keys.sign);
  const origin = "https://lahti.example";
  const admission = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: signed, origin }) };
  const admitted = await (await fetch(`${server.origin}/api/sessions/${session}/admission`, admission)).json();
  assert.equal(admitted.name, name, JSON.stringify(admitted));
  const socket = await RawSocket.connect(server.origin);
  socket.say({ type: "join", token: admitted.token, name: "Somebody else", language: "fi", consent: "declined" });
  const welcome = await socket.hears("welcome");
  assert.equal(welcome.room.people.at(-1).name, name, "the tenant's word wins");
  return socket;
}

story("Lahti's server is told what happens, though it fails at first", async (stage) => {
  const receiver = await Receiver.start(stage, [500, 302]);
  const house = await lahti(stage, receiver);
  const { id } = await house.ask("POST", "/sessions", { title: "Salainen ilta", language: "fi" });
  const aino = await comesIn(house, id, "Aino");
  await eventually("the third try is taken", () => receiver.events.includes("person.joined"), 30);
  const [first, second, third] = receiver.messages;
  assert.equal(new Set([first, second, third].map((it) => it.headers["webhook-id"])).size, 1, "the same message");
  assert.equal(new Set([first, second, third].map((it) => it.body)).size, 1);
  assert.ok(second.at - first.at > 900 && third.at - second.at > 1_900, "each wait is longer");
  aino.say({ type: "post", text: "kuiskaus" });
  aino.say({ type: "call", on: true });
  await eventually("the call is told", () => receiver.events.includes("help.requested"));
  await house.ask("POST", `/sessions/${id}/end`);
  await eventually("the end is told", () => receiver.events.at(-1) === "session.ended");
  assert.deepEqual(receiver.events, ["person.joined", "room.changed", "help.requested", "session.ended"]);
  assert.ok(receiver.taken.every((it) => it.session === id && Math.abs(it.unix_ms - Date.now()) < 60_000));
  const all = receiver.messages.map((it) => it.body).join("");
  for (const word of ["Aino", "Salainen", "kuiskaus", "u-Aino"]) assert.ok(!all.includes(word), `${word} has left the house`);
  for (const word of [house.keys.api, house.keys.sign, house.keys.webhook, "kuiskaus"]) {
    assert.ok(!house.server.output.includes(word), "nothing secret is logged");
  }

  // Genuine, by the recipes that integrators copy; and not with another body, key or time.
  const { headers, body } = third;
  assert.ok(isGenuine(headers, body, house.keys.webhook));
  assert.ok(!isGenuine(headers, `${body} `, house.keys.webhook));
  assert.ok(!isGenuine(headers, body, `whsec_${Buffer.alloc(32).toString("base64")}`));
  assert.ok(!isGenuine({ ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 400) }, body, house.keys.webhook));
  const python = `import base64, hmac, json, sys, time\n${recipe("python", "is_genuine")}
headers, body, secret = json.load(sys.stdin)
print(is_genuine(headers, body.encode(), secret), is_genuine(headers, b"x", secret))`;
  const ran = spawnSync("python3", ["-c", python], { input: JSON.stringify([headers, body, house.keys.webhook]), encoding: "utf8" });
  if (ran.error) stage.note("no python3 here: its recipe was not tried");
  else assert.equal(ran.stdout.trim(), "True False", ran.stderr);
});

story("what happens while either server is away is told afterwards, once and in order", async (stage) => {
  const receiver = await Receiver.start(stage);
  const house = await lahti(stage, receiver);
  const { id } = await house.ask("POST", "/sessions", { title: "Ilta", language: "fi" });
  const aino = await comesIn(house, id, "Aino");
  await eventually("Aino is told", () => receiver.events.length === 2);
  receiver.answers = Array.from({ length: 50 }, () => 503);
  const bo = await comesIn(house, id, "Bo");
  await eventually("Bo is tried", () => receiver.messages.length >= 3);
  await house.server.kill();
  [aino, bo].forEach((it) => it.close());
  receiver.answers = [];
  await house.server.start();
  await eventually("Bo is told", () => receiver.events.length >= 4, 30);
  const people = receiver.taken.filter((it) => it.event === "person.joined").map((it) => it.detail.participant);
  assert.deepEqual(people, [1, 2]);
  assert.equal(new Set(receiver.taken.map((it) => it.id)).size, receiver.taken.length);
});

story("a token signed on the command line lets somebody in", async (stage) => {
  const receiver = await Receiver.start(stage);
  const house = await lahti(stage, receiver);
  const { id } = await house.ask("POST", "/sessions", { title: "Ilta", language: "fi" });
  const args = ["token", "--session", id, "--person", "u-1", "--name", "Aino", "--role", "host", "--tag", "organisation=Lahti"];
  const printed = vuoro([...args, "--config", house.config]);
  assert.equal(printed.code, 0, printed.stderr);
  const [signed] = printed.stdout.split("\n");
  assert.ok(printed.stdout.includes(`<vuoro-session session="${id}" token="${signed}">`));
  const body = JSON.stringify({ token: signed, origin: "https://lahti.example" });
  const answer = await fetch(`${house.server.origin}/api/sessions/${id}/admission`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  assert.equal((await answer.json()).role, "facilitator");
  const missing = vuoro([...args, "--tenant", "turku", "--config", house.config]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /vuoro tenant/);
});
