// Tokens as an existing backend would make them: HS256 with a shared secret.

import { createHmac } from "node:crypto";

import { SECRET } from "./server.mjs";

const HOUR_S = 3600;

/** A token for `subject`, good for an hour; `claims` add to what is inside or replace it. */
export function token(subject, claims = {}, secret = SECRET) {
  const now = Math.floor(Date.now() / 1000);
  return sign({ sub: subject, iat: now, exp: now + HOUR_S, ...claims }, secret);
}

/** A token whose time was over an hour ago. */
export function expiredToken(subject) {
  const now = Math.floor(Date.now() / 1000);
  return token(subject, { iat: now - 2 * HOUR_S, exp: now - HOUR_S });
}

/** A token signed with another secret. */
export function forgedToken(subject) {
  return token(subject, {}, "some other secret, also of 32 bytes or more");
}

function sign(claims, secret) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const input = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}
