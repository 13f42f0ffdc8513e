// Lahti, a tenant: a page of its own, people whom its own server lets in by tokens that it signs, and the
// API with which that server opens sessions.
import assert from "node:assert/strict";
import crypto from "node:crypto";

import { EmbeddingPage } from "./embedding.mjs";

const API_KEY = "lahti-key-lahti-key-lahti-key-lahti";
const SECRET = "lahti-secret-lahti-secret-lahti-secret";

/** `exp` of a token that holds for so long. */
export const inSeconds = (seconds) => Math.floor(Date.now() / 1000) + seconds;

function signed(claims) {
  const part = (it) => Buffer.from(JSON.stringify(it)).toString("base64url");
  const body = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${body}.${crypto.createHmac("sha256", SECRET).update(body).digest("base64url")}`;
}

/**
 * Lahti's page on a server of Lahti's, with a session of Lahti's. `/my-token` on it gives a token with what
 * `claims` says the so-manieth time, or fails where it says nothing; `asked`: when it was asked for.
 */
export async function lahti(stage, { claims = () => ({}), language = "en" } = {}) {
  const tenants = (origin) => `[[tenants]]\nid = "lahti"\norigins = ["${origin}"]\napi_key = "${API_KEY}"\nkeys = [{ hs256 = "${SECRET}" }]\n`;
  const page = await EmbeddingPage.open(stage, { tenants, name: "lahti" });
  const ask = async (path, body) => {
    const headers = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json" };
    const answer = await fetch(`${page.server.origin}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, await answer.clone().text());
    return answer.json();
  };
  const { id: session, links } = await ask("/sessions", { title: "Asukasilta", language });
  const token = (more) =>
    signed({ iss: "lahti", aud: page.server.origin, exp: inSeconds(600), session, person: "u-17", name: "Aino", role: "participant", ...more });
  const asked = [];
  page.foreign.files.set("/my-token", (_request, answer) => {
    asked.push(performance.now());
    const said = claims(asked.length);
    if (said) answer.end(token(said));
    else answer.writeHead(500).end();
  });
  return { page, session, links, ask, asked, token };
}
