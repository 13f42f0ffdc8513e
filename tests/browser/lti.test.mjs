// A launch from a learning platform, as Moodle does it (LTI 1.3), against a platform of the test's own that
// signs with a real key. No browser is needed: every redirection is looked at instead of followed.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";

import { story } from "./harness.mjs";
import { vuoro } from "./help/server.mjs";

const CLAIM = "https://purl.imsglobal.org/spec/lti/claim";
const INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor";

/** A platform: it tells its public key, and signs what it is asked to. */
class Platform {
  #keys = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
  #server;
  keysAsked = 0;

  static async start(stage) {
    const it = new Platform();
    it.#server = http.createServer((_request, answer) => {
      it.keysAsked += 1;
      const key = { ...it.#keys.publicKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" };
      answer.end(JSON.stringify({ keys: [key] }));
    });
    await new Promise((resolve) => it.#server.listen(0, "127.0.0.1", resolve));
    stage.atEnd(() => it.#server.close());
    return it;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  signs(claims, { kid = "one", key = this.#keys.privateKey } = {}) {
    const part = (it) => Buffer.from(JSON.stringify(it)).toString("base64url");
    const body = `${part({ alg: "RS256", typ: "JWT", kid })}.${part(claims)}`;
    return `${body}.${crypto.sign("sha256", Buffer.from(body), key).toString("base64url")}`;
  }
}

story("a course in Moodle opens its session, and nobody else gets in by it", async (stage) => {
  const platform = await Platform.start(stage);
  const printed = vuoro(["tenant", "lahti", "--origin", platform.origin]);
  const config = stage.path("lahti.toml");
  const server = await stage.prepareServer({ config });
  const lti = `[tenants.lti]\nissuer = "${platform.origin}"\nclient_id = "vuoro"\nauthorization = "${platform.origin}/auth?x=1"\nkeys = "${platform.origin}/keys"\ndeployment_id = "1"\n`;
  fs.writeFileSync(config, `[server]\npublic_url = "${server.origin}"\n\n${printed.stdout}\n${lti}`);
  await server.start();
  const key = /^api_key = "(.*)"$/m.exec(printed.stdout)[1];
  const opens = async () => {
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
    const answer = await fetch(`${server.origin}/api/v1/sessions`, { method: "POST", headers, body: JSON.stringify({ title: "Kurssi", language: "fi" }) });
    return (await answer.json()).id;
  };
  const session = await opens();
  const posts = (path, fields) => fetch(`${server.origin}${path}`, { method: "POST", redirect: "manual", body: new URLSearchParams(fields) });

  /** To the platform and back: what the browser would be sent with. */
  const begins = async () => {
    const answer = await posts("/lti/login", { iss: platform.origin, login_hint: "17&x", client_id: "vuoro", lti_message_hint: "a b", target_link_uri: "https://evil.example" });
    assert.equal(answer.status, 303, await answer.clone().text());
    const address = new URL(answer.headers.get("location"));
    assert.equal(address.origin + address.pathname, `${platform.origin}/auth`, "the configuration's, not the request's");
    assert.equal(address.searchParams.get("x"), "1");
    assert.equal(address.searchParams.get("login_hint"), "17&x");
    assert.equal(address.searchParams.get("redirect_uri"), `${server.origin}/lti/launch`);
    return { state: address.searchParams.get("state"), nonce: address.searchParams.get("nonce") };
  };
  const claims = (nonce, changed = {}) => ({
    iss: platform.origin, aud: "vuoro", exp: Math.floor(Date.now() / 1000) + 60, iat: Math.floor(Date.now() / 1000), nonce, sub: "17",
    name: "Aino Virtanen", email: "aino@lahti.example", [`${CLAIM}/message_type`]: "LtiResourceLinkRequest", [`${CLAIM}/version`]: "1.3.0",
    [`${CLAIM}/deployment_id`]: "1", [`${CLAIM}/roles`]: [INSTRUCTOR], [`${CLAIM}/custom`]: { session }, ...changed,
  });
  const launches = async (changed = {}, how = {}) => {
    const { state, nonce } = await begins();
    return posts("/lti/launch", { state, id_token: platform.signs(claims(nonce, changed), how) });
  };
  const admitted = async (answer) => {
    assert.equal(answer.status, 303, await answer.clone().text());
    const [, of, ticket] = /^\/embed\/(\w+)#(.+)$/.exec(answer.headers.get("location"));
    const body = JSON.stringify({ ticket });
    return (await fetch(`${server.origin}/api/sessions/${of}/admission`, { method: "POST", headers: { "Content-Type": "application/json" }, body })).json();
  };

  const teacher = await admitted(await launches());
  assert.deepEqual([teacher.role, teacher.name], ["facilitator", "Aino Virtanen"]);
  const learner = await admitted(await launches({ [`${CLAIM}/roles`]: ["http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"], name: "x".repeat(200) }));
  assert.deepEqual([learner.role, learner.name.length], ["participant", 60]);
  assert.equal(platform.keysAsked, 1, "its keys are remembered");

  // The same launch again, and one that began somewhere else.
  const { state, nonce } = await begins();
  const id_token = platform.signs(claims(nonce));
  assert.equal((await admitted(await posts("/lti/launch", { state, id_token }))).role, "facilitator");
  const other = await begins();
  for (const again of [state, other.state, "x"]) {
    const answer = await posts("/lti/launch", { state: again, id_token });
    assert.deepEqual([answer.status, (await answer.json()).code], [410, "ticket-used"], again);
  }
  // Whoever sits in front of a browser is told so by a page, which the platform's pages may show.
  const visit = { method: "POST", headers: { Accept: "text/html" }, body: new URLSearchParams({ state, id_token }) };
  const told = await fetch(`${server.origin}/lti/launch`, visit);
  assert.equal(told.status, 410);
  assert.match(await told.text(), /<meta name="vuoro-fault" content="ticket-used"/);
  assert.ok(told.headers.get("content-security-policy").includes(`frame-ancestors 'self' ${platform.origin}`));

  const strange = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  for (const [changed, how, status] of [
    [{}, { key: strange }, 401],
    [{}, { kid: "two" }, 401],
    [{ iss: "https://evil.example" }, {}, 401],
    [{ aud: "another" }, {}, 401],
    [{ exp: Math.floor(Date.now() / 1000) - 120 }, {}, 401],
    [{ [`${CLAIM}/deployment_id`]: "2" }, {}, 401],
    [{ [`${CLAIM}/message_type`]: "LtiDeepLinkingRequest" }, {}, 401],
    [{ [`${CLAIM}/version`]: "1.1" }, {}, 401],
    [{ [`${CLAIM}/custom`]: {} }, {}, 404],
    [{ [`${CLAIM}/custom`]: { session: "01KB4XG6TQ4PZ0S0FZX2M9T9AV" } }, {}, 404],
    [{ sub: "" }, {}, 401],
  ]) {
    assert.equal((await launches(changed, how)).status, status, JSON.stringify(changed));
  }
  assert.equal((await posts("/lti/launch", { error: "login_required", state })).status, 401);
  assert.equal((await posts("/lti/login", { iss: "https://evil.example", login_hint: "1" })).status, 404);
  assert.equal((await posts("/lti/login", {})).status, 400);
  assert.ok(!server.output.includes("Aino"), "nobody's name is logged");
});
