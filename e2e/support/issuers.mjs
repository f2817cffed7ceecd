// Identity providers: tokens in the shapes that they make, signed by `jose`, and the keys where they publish them.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import path from "node:path";

import { exportJWK, generateKeyPair, SignJWT } from "jose";

import { startServer, temporaryDirectory } from "./server.mjs";

/** A key that an issuer signs with. */
export async function signingKey(kid, alg = "RS256") {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

/** A token as `key` signs it. Claims that are `undefined` are left out, and so are header fields. */
export function sign(key, claims, header = {}) {
  const all = { alg: key.alg, kid: key.kid, typ: "JWT", ...header };
  const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(JSON.parse(JSON.stringify(claims))).setProtectedHeader(given).sign(key.privateKey);
}

export const now = () => Math.floor(Date.now() / 1000);

/** An endpoint with a key set. What it answers can be changed; `requests` are those that came. */
export async function startKeySet(t, keys, tls) {
  const issuer = { keys, requests: [], answer: undefined };
  const respond = (request, response) => {
    issuer.requests.push({ url: request.url, headers: request.headers });
    if (issuer.answer) return issuer.answer(request, response);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ keys: issuer.keys.map((key) => key.jwk) }));
  };
  const listener = tls ? https.createServer(tls, respond) : http.createServer(respond);
  await once(listener.listen(0, "127.0.0.1"), "listening");
  t.after(() => (listener.close(), listener.closeAllConnections()));
  const { port } = listener.address();
  return Object.assign(issuer, { port, url: `${tls ? "https" : "http"}://localhost:${port}/keys` });
}

/** A server whose issuers are configured like this: each a table of TOML keys and JSON values. */
export async function startWithIssuers(t, issuers, options = {}) {
  const tables = issuers.map((issuer) => {
    const keys = Object.entries(issuer).map(([key, value]) => `${key} = ${toml(value)}`);
    return ["[[auth.issuers]]", ...keys].join("\n");
  });
  const file = path.join(await temporaryDirectory(t), "roomkey.toml");
  await writeFile(file, [options.toml ?? "[auth]\nbuiltin = false", ...tables].join("\n\n"), { mode: 0o600 });
  const env = { JWT_SECRET: undefined, ...options.env };
  return startServer(t, { ...options, args: ["--config", file], env });
}

function toml(value) {
  if (typeof value !== "object" || Array.isArray(value)) return JSON.stringify(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)} = ${JSON.stringify(inner)}`);
  return `{ ${pairs.join(", ")} }`;
}
