// The WordPress plugin against a real server: what its shortcode writes is escaped, its tokens let people in
// as who they are, and nobody gets one for a session that no page shows. No browser is needed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

import { story } from "./harness.mjs";
import { vuoro } from "./help/server.mjs";

const PLUGIN = path.resolve(import.meta.dirname, "help/wordpress.php");
const NOBODY = { id: 0, name: "", can: [] };
const EDITOR = { id: 7, name: "Aino <b>Virtanen</b>", can: ["edit_others_posts"] };
const READER = { id: 8, name: "Bo Åkerström", can: ["read"] };
const GUEST = "0123456789abcdef0123456789abcdef";

story("a WordPress page lets its people in as who they are", async (stage) => {
  const printed = vuoro(["tenant", "lahti", "--origin", "https://event.example"]);
  const word = (name) => new RegExp(`^${name} = "(.*)"$`, "m").exec(printed.stdout)[1];
  const config = stage.path("lahti.toml");
  const server = await stage.prepareServer({ config });
  fs.writeFileSync(config, `[server]\npublic_url = "${server.origin}"\n\n${printed.stdout}`);
  await server.start();
  const headers = { Authorization: `Bearer ${word("api_key")}`, "Content-Type": "application/json" };
  const opened = await fetch(`${server.origin}/api/v1/sessions`, { method: "POST", headers, body: JSON.stringify({ title: "Ilta", language: "fi" }) });
  const session = (await opened.json()).id;

  const runs = (shortcode, user, request = {}) => {
    const asked = { secret: word("hs256"), server: server.origin, shortcode: { session, ...shortcode }, user, request };
    const ran = spawnSync("php", [PLUGIN], { input: JSON.stringify(asked), encoding: "utf8" });
    if (ran.error) throw new Error("php is needed: scripts/test browser installs it");
    assert.equal(ran.status, 0, ran.stderr + ran.stdout);
    return JSON.parse(ran.stdout);
  };
  const admitted = async (token) => {
    const body = JSON.stringify({ token, origin: "https://event.example" });
    const answer = await fetch(`${server.origin}/api/sessions/${session}/admission`, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    return answer.json();
  };

  const editor = await admitted(runs({}, EDITOR).token);
  assert.deepEqual([editor.role, editor.name], ["facilitator", EDITOR.name]);
  const reader = await admitted(runs({}, READER).token);
  assert.deepEqual([reader.role, reader.name], ["participant", READER.name]);
  const guest = await admitted(runs({}, NOBODY, { guest: GUEST }).token);
  assert.deepEqual([guest.role, guest.name], ["participant", null]);
  // Whoever writes a shortcode does not make themselves host by it.
  assert.equal((await admitted(runs({ hosts: "read" }, READER).token)).role, "participant");

  // What stands in a shortcode is never markup.
  for (const attribute of ["player", "duck", "height", "lang", "hosts"]) {
    const { html, scripts } = runs({ [attribute]: `"><script>alert(1)</script>` }, NOBODY, { guest: GUEST });
    assert.ok(!html.includes("<script"), html);
    assert.ok(scripts.every((it) => !it.includes("<")) || !scripts.join("").includes("alert(1)"));
  }
  assert.ok(!runs({ session: `"><script>alert(1)</script>` }, NOBODY).html.includes("script>"));
  assert.ok(!JSON.stringify(runs({}, NOBODY)).includes(word("hs256")), "the secret stays on the server");

  // Another session, another proof, nobody in particular.
  assert.equal(runs({}, READER, { session: "01KB4XG6TQ4PZ0S0FZX2M9T9AV" }).refused, 403);
  assert.equal(runs({}, READER, { proof: "" }).refused, 403);
  assert.equal(runs({}, READER, { hosts: "read" }).refused, 403);
  assert.equal(runs({}, NOBODY, { guest: "u-1" }).refused, 400);
});
