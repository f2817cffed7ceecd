// Tokens of identity providers in their real shapes, made by `jose` and by Auth.js itself, with keys that are fetched
// from a real endpoint: each is let in as the right user, and what is easily taken for it is not.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { describe, test } from "node:test";

import { encode as encodeV5 } from "@auth/core/jwt";
import { SignJWT } from "jose";

import { connect, refusal } from "./support/client.mjs";
import { now, sign, signingKey, startKeySet, startWithIssuers } from "./support/issuers.mjs";
import { createChannel, request } from "./support/rest.mjs";
import { runBinary, temporaryDirectory } from "./support/server.mjs";

const { encode: encodeV4 } = createRequire(import.meta.url)("next-auth/jwt");

/** A key set and a server that knows one issuer of this preset by it. */
async function start(t, preset, { alg = "RS256", ...keys }) {
  const key = await signingKey("key-1", alg);
  const keySet = await startKeySet(t, [key]);
  const issuer = { name: preset, preset, jwks_url: keySet.url, jwks_allow_http: true, ...keys };
  const server = await startWithIssuers(t, [issuer]);
  return { key, keySet, server };
}

/** The user that a token connects as: what is sent on its socket is stamped with it. */
async function userOf(t, server, token) {
  const channel = await createChannel(server, token);
  const socket = await connect(t, server, token);
  const ack = await socket.emitWithAck("sendMessage", { channelId: channel.id, content: "hello" });
  assert.equal(ack.error, undefined, JSON.stringify(ack));
  return { id: ack.data.userId, name: ack.data.user.username };
}

/** Each of these tokens is refused, and a client only hears that it is. */
async function assertInvalid(t, server, tokens) {
  for (const [name, token] of Object.entries(tokens)) {
    const error = await refusal(t, server, { auth: { token }, transports: ["websocket"] });
    assert.equal(error.data?.code, "TOKEN_INVALID", `${name}: ${error.message} ${JSON.stringify(error.data)}`);
    assert.equal(error.message, "Authentication error: Invalid token");
  }
}

describe("clerk", () => {
  const issuer = "https://mighty-cat-1.clerk.accounts.dev";
  const claims = () => ({
    azp: "https://app.example.com",
    exp: now() + 60,
    fva: [0, -1],
    iat: now(),
    iss: issuer,
    jti: "8a1d7c1f8bf5d0c1a4f0",
    nbf: now() - 10,
    sid: "sess_2NNxqy3gaTOkBTGr",
    sts: "active",
    sub: "user_2NNEqL2nrIRdJ194",
    v: 2,
  });
  const header = { cat: "cl_B7d4PD111AAA" };

  test("a session token", async (t) => {
    const { key, server } = await start(t, "clerk", { issuer, authorized_parties: ["https://app.example.com"] });
    const token = await sign(key, claims(), header);
    assert.equal((await userOf(t, server, token)).id, "clerk:user_2NNEqL2nrIRdJ194");
    const changed = (changes) => sign(key, { ...claims(), ...changes }, header);
    await assertInvalid(t, server, {
      "of a page on another subdomain": await changed({ azp: "https://blog.example.com" }),
      "of no page": await changed({ azp: undefined }),
      "of a login that is not complete": await changed({ sts: "pending" }),
      "of another instance": await changed({ iss: "https://other-dog-2.clerk.accounts.dev" }),
      "of an issuer with a slash": await changed({ iss: `${issuer}/` }),
      "without a user": await changed({ sub: undefined }),
    });
    const expired = await changed({ iat: now() - 120, nbf: now() - 130, exp: now() - 60 });
    const error = await refusal(t, server, { auth: { token: expired } });
    assert.equal(error.data.code, "TOKEN_EXPIRED");
  });
});

describe("auth0", () => {
  const issuer = "https://tenant.eu.auth0.com/";
  const api = "https://api.example.com";
  /** The default dialect: no `jti`, `azp`, and an array of audiences. */
  const claims = () => ({
    iss: issuer,
    sub: "auth0|507f1f77bcf86cd799439011",
    aud: [api, `${issuer}userinfo`],
    iat: now(),
    exp: now() + 86_400,
    azp: "my_client_id",
    scope: "openid profile email",
  });
  /** The dialect of RFC 9068. */
  const rfc9068 = () => ({
    ...claims(),
    azp: undefined,
    aud: api,
    client_id: "my_client_id",
    jti: "vV4pD2VxJZ0FtSqXpGnF2w",
  });

  test("access tokens of both dialects", async (t) => {
    const { key, server } = await start(t, "auth0", { issuer, audiences: [api] });
    const user = "auth0:auth0|507f1f77bcf86cd799439011";
    assert.equal((await userOf(t, server, await sign(key, claims()))).id, user);
    assert.equal((await userOf(t, server, await sign(key, rfc9068(), { typ: "at+jwt" }))).id, user);
    const changed = (changes) => sign(key, { ...claims(), ...changes });
    await assertInvalid(t, server, {
      "an ID token": await changed({ aud: "my_client_id", nonce: "n-0S6_WzA2Mj", azp: undefined }),
      "an ID token for an API of the same name": await changed({ aud: api, nonce: "n-0S6_WzA2Mj" }),
      "of another API": await changed({ aud: ["https://other.example.com", `${issuer}userinfo`] }),
      "without an audience": await changed({ aud: undefined }),
      "of an issuer without its slash": await changed({ iss: issuer.slice(0, -1) }),
      "a logout token": await sign(key, claims(), { typ: "logout+jwt" }),
      "opaque": "eyJhbGciOiJkaXIi.ZW5j.cnlwdA",
    });
  });

  test("one without a jti can be revoked by its session's end, and by itself", async (t) => {
    const { key, server } = await start(t, "auth0", { issuer, audiences: [api] });
    const [token, other] = [await sign(key, claims()), await sign(key, { ...claims(), scope: "openid" })];
    const data = ["--data-dir", server.dataDir];
    const revoked = await runBinary(t, ["token", "revoke", token, ...data]);
    assert.equal(revoked.code, 0, revoked.stderr);
    const error = await refusal(t, server, { auth: { token } });
    assert.equal(error.data.code, "TOKEN_REVOKED");
    assert.ok((await connect(t, server, other)).connected);
  });
});

describe("keycloak", () => {
  const issuer = "https://sso.example.com/realms/main";
  const claims = () => ({
    exp: now() + 300,
    iat: now(),
    auth_time: now() - 60,
    jti: "onrtac:55ee3bd0-2a0b-4c0e-9d0a-0c7c3d5f0d5c",
    iss: issuer,
    aud: "account",
    sub: "f5e1bd5a-13ba-4b29-8d49-6c8a3f1b7d4a",
    typ: "Bearer",
    azp: "web",
    sid: "7d2b9c0e-8a43-4a9f-a9f7-3d9f0f3a2b11",
    acr: "1",
    "allowed-origins": ["https://app.example.com"],
    realm_access: { roles: ["default-roles-main", "moderator"] },
    resource_access: { account: { roles: ["manage-account"] } },
    scope: "openid email profile",
    email_verified: true,
    name: "Ada Lovelace",
    preferred_username: "ada",
    email: "ada@example.com",
  });

  for (const alg of ["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"]) {
    test(`an access token, signed by ${alg}`, async (t) => {
      const { key, keySet, server } = await start(t, "keycloak", { issuer, authorized_parties: ["web"], alg });
      const user = await userOf(t, server, await sign(key, claims()));
      assert.deepEqual(user, { id: "keycloak:f5e1bd5a-13ba-4b29-8d49-6c8a3f1b7d4a", name: "ada" });
      const changed = (changes, header) => sign(key, { ...claims(), ...changes }, header);
      // A realm also publishes the key that others encrypt for it with.
      const { jwk } = await signingKey("key-1", "RS256");
      keySet.keys.unshift({ jwk: { ...jwk, use: "enc", alg: "RSA-OAEP" } });
      await assertInvalid(t, server, {
        "an ID token": await changed({ typ: "ID", aud: "web", at_hash: "x3X4Pt" }),
        "a refresh token": await changed({ typ: "Refresh", aud: issuer }),
        "an offline token": await changed({ typ: "Offline", aud: issuer }),
        "a logout token": await changed({ typ: "Logout" }, { typ: "logout+jwt" }),
        "of another client": await changed({ azp: "admin-cli" }),
        "of another realm": await changed({ iss: "https://sso.example.com/realms/other" }),
        "bound to a key": await changed({ cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
      });
    });
  }
});

describe("supabase", () => {
  const issuer = "https://abcdefghijklmnop.supabase.co/auth/v1";
  const claims = () => ({
    aal: "aal1",
    amr: [{ method: "password", timestamp: now() }],
    app_metadata: { provider: "email", providers: ["email"] },
    aud: "authenticated",
    email: "ada@example.com",
    exp: now() + 3600,
    iat: now(),
    is_anonymous: false,
    iss: issuer,
    phone: "",
    role: "authenticated",
    session_id: "a7f0bb62-4f5c-4a3a-9c62-6c2b66d0b1a3",
    sub: "3f9d4e2a-6a0e-4a86-9dfd-0a0c6a8e4a0b",
    user_metadata: { name: "Ada", role: "admin", roles: ["admin"] },
  });
  /** What every page has: a token of the role `anon`, without a user. */
  const anon = () => ({ iss: "supabase", ref: "abcdefghijklmnop", role: "anon", iat: now(), exp: now() + 3600 });

  test("a user's token, and not the keys of the project", async (t) => {
    const { key, server } = await start(t, "supabase", { project: "abcdefghijklmnop", alg: "ES256" });
    const user = await userOf(t, server, await sign(key, claims()));
    assert.deepEqual(user, { id: "supabase:3f9d4e2a-6a0e-4a86-9dfd-0a0c6a8e4a0b", name: "Ada" });
    const changed = (changes) => sign(key, { ...claims(), ...changes });
    await assertInvalid(t, server, {
      "the anon key": await sign(key, anon()),
      "the anon key with the issuer of users": await sign(key, { ...anon(), iss: issuer }),
      "a user of the role anon": await changed({ role: "anon", aud: "anon" }),
      "an audience alone": await changed({ role: "anon" }),
      "a role alone": await changed({ aud: "anon" }),
      "the service role": await changed({ role: "service_role" }),
      "no user": await changed({ sub: undefined }),
    });
  });

  test("the secret of older projects, beside the published keys", async (t) => {
    const secret = "wXrkH1Vh2YFCmoDb2Cz4nqzLwcn0m2VtQ8r6Kx9pT3sUaEj7";
    const { key, server } = await start(t, "supabase", { project: "abcdefghijklmnop", alg: "ES256", secrets: [secret] });
    const legacy = (claims, text = secret) =>
      new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT", kid: "Zk9x" }).sign(new TextEncoder().encode(text));
    const user = "supabase:3f9d4e2a-6a0e-4a86-9dfd-0a0c6a8e4a0b";
    assert.equal((await userOf(t, server, await sign(key, claims()))).id, user);
    assert.equal((await userOf(t, server, await legacy(claims()))).id, user);
    await assertInvalid(t, server, {
      "the anon key": await legacy(anon()),
      "the anon key with the issuer of users": await legacy({ ...anon(), iss: issuer }),
      "the public key for a secret": await legacy(claims(), JSON.stringify(key.jwk)),
    });
  });
});

describe("firebase", () => {
  const claims = () => ({
    name: "Ada",
    iss: "https://securetoken.google.com/my-project",
    aud: "my-project",
    auth_time: now() - 60,
    user_id: "ZjzJ8bXbVQhK4uDmlkXc0xGfZr82",
    sub: "ZjzJ8bXbVQhK4uDmlkXc0xGfZr82",
    iat: now(),
    exp: now() + 3600,
    email: "ada@example.com",
    email_verified: true,
    firebase: { identities: { email: ["ada@example.com"] }, sign_in_provider: "password" },
  });

  test("an ID token of the project", async (t) => {
    const { key, server } = await start(t, "firebase", { project: "my-project" });
    const user = await userOf(t, server, await sign(key, claims()));
    assert.deepEqual(user, { id: "firebase:ZjzJ8bXbVQhK4uDmlkXc0xGfZr82", name: "Ada" });
    const changed = (changes) => sign(key, { ...claims(), ...changes });
    await assertInvalid(t, server, {
      "of another project": await changed({ iss: "https://securetoken.google.com/other", aud: "other" }),
      "of another audience": await changed({ aud: "other" }),
      "of another issuer": await changed({ iss: "https://securetoken.google.com/other" }),
      "a session cookie": await changed({ iss: "https://session.firebase.google.com/my-project" }),
      "an empty user": await changed({ sub: "" }),
      "no time of login": await changed({ auth_time: undefined }),
      "a login in the future": await changed({ auth_time: now() + 600 }),
      "a login as text": await changed({ auth_time: String(now() - 60) }),
    });
  });
});

describe("cognito", () => {
  const issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123";
  const access = () => ({
    sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
    "cognito:groups": ["editors"],
    iss: issuer,
    version: 2,
    client_id: "1example23456789",
    origin_jti: "b64b71ac-1c9a-4a6f-8b2b-6f6c1a7b5a31",
    event_id: "9e7f3c71-26a5-4b52-8d4c-ab4d7e6f4c3f",
    token_use: "access",
    scope: "aws.cognito.signin.user.admin",
    auth_time: now() - 60,
    exp: now() + 3600,
    iat: now(),
    jti: "54cf3b76-8cd5-4d0c-8f9d-2c2e5a9d8a51",
    username: "ada",
  });
  const id = () => ({
    ...access(),
    client_id: undefined,
    username: undefined,
    aud: "1example23456789",
    token_use: "id",
    "cognito:username": "ada",
    email: "ada@example.com",
  });

  test("an access token of the pool and the client", async (t) => {
    const keys = { pool: "eu-west-1_AbCdEf123", authorized_parties: ["1example23456789"] };
    const { key, server } = await start(t, "cognito", keys);
    const header = { typ: undefined };
    const user = await userOf(t, server, await sign(key, access(), header));
    assert.deepEqual(user, { id: "cognito:aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", name: "ada" });
    const changed = (changes) => sign(key, { ...access(), ...changes }, header);
    await assertInvalid(t, server, {
      "an ID token": await sign(key, id(), header),
      "an ID token that names the client": await sign(key, { ...id(), client_id: "1example23456789" }, header),
      "no use": await changed({ token_use: undefined }),
      "of another client": await changed({ client_id: "2example" }),
      "of another pool": await changed({ iss: issuer.replace("AbCdEf123", "Other") }),
    });
  });
});

describe("Auth.js", () => {
  const secret = "k3-Zp8_vQ2xR7tYw1LmN5bHc9JdFs4Ga";
  const older = "An0ther-53cret.of:the+same=length";
  const user = { name: "Ada", email: "ada@example.com", picture: "https://example.com/ada.png", sub: "ada" };

  /** The user that a page of ours is, with these cookies; or the code of its refusal. */
  async function outcome(t, server, cookie, headers = { origin: server.url }) {
    const options = { transports: ["websocket"], extraHeaders: { cookie, ...headers } };
    const me = await request(server, "GET", "/api/auth/me", { headers: { cookie, ...headers } });
    const connected = await connect(t, server, undefined, options).catch((error) => error);
    if (me.status === 200) {
      assert.ok(connected.connected, connected.message);
      return me.body.user.id;
    }
    assert.equal(connected.data?.code, me.body.code, me.text);
    return me.body.code;
  }

  const versions = {
    authjs: {
      cookies: ["__Secure-authjs.session-token", "authjs.session-token"],
      encode: (token, cookie, from = secret) => encodeV5({ token, secret: from, salt: cookie }),
    },
    nextauth: {
      cookies: ["__Secure-next-auth.session-token", "next-auth.session-token"],
      encode: (token, cookie, from = secret) => encodeV4({ token, secret: from }),
    },
  };

  for (const [preset, { cookies, encode }] of Object.entries(versions)) {
    test(`${preset}: the session cookie of a page of ours`, async (t) => {
      for (const [index, cookie] of cookies.entries()) {
        const own = index === 0 ? {} : { cookie };
        const server = await startWithIssuers(t, [{ name: "web", preset, secrets: [secret, older], ...own }]);
        const session = await encode(user, cookie);
        assert.equal(await outcome(t, server, `theme=dark; ${cookie}=${session}`), "web:ada");
        assert.equal(await outcome(t, server, `${cookie}=${await encode(user, cookie, older)}`), "web:ada");
        const forged = await encode(user, cookie, "An0ther-53cret.nobody:has-told+us");
        assert.equal(await outcome(t, server, `${cookie}=${forged}`), "TOKEN_INVALID");
        assert.equal(await outcome(t, server, `${cookies[1 - index]}=${session}`), "TOKEN_MISSING");
        assert.equal(await outcome(t, server, `${cookie}=${session}; ${cookie}=${forged}`), "TOKEN_AMBIGUOUS");
        assert.equal(await outcome(t, server, `${cookie}=${session}`, {}), "TOKEN_MISSING", "of no page");
        const elsewhere = await refusal(t, server, {
          transports: ["websocket"],
          extraHeaders: { cookie: `${cookie}=${session}`, origin: "https://evil.example" },
        });
        assert.equal(elsewhere.message, "websocket error");
      }
    });

    test(`${preset}: a session in pieces`, async (t) => {
      const [cookie] = cookies;
      const server = await startWithIssuers(t, [{ name: "web", preset, secrets: [secret] }]);
      const session = await encode({ ...user, accessToken: "x".repeat(6000) }, cookie);
      const pieces = session.match(/.{1,3936}/g).map((piece, index) => `${cookie}.${index}=${piece}`);
      assert.ok(pieces.length >= 2);
      assert.equal(await outcome(t, server, pieces.join("; ")), "web:ada");
      assert.equal(await outcome(t, server, pieces.slice(1).join("; ")), "TOKEN_INVALID");
      assert.equal(await outcome(t, server, `${cookie}=x; ${pieces.join("; ")}`), "TOKEN_INVALID");
    });

    test(`${preset}: in auth.token only where that is allowed`, async (t) => {
      const [cookie] = cookies;
      const session = await encode(user, cookie);
      const issuer = { name: "web", preset, secrets: [secret] };
      const closed = await startWithIssuers(t, [issuer]);
      await assertInvalid(t, closed, { session });
      const open = await startWithIssuers(t, [{ ...issuer, accept_as_token: true }]);
      assert.deepEqual(await userOf(t, open, session), { id: "web:ada", name: "Ada" });
    });
  }

  test("what is remembered of a login is no session", async (t) => {
    const v5 = await startWithIssuers(t, [{ name: "web", preset: "authjs", secrets: [secret] }]);
    const [cookie] = versions.authjs.cookies;
    for (const purpose of ["pkce.code_verifier", "state", "nonce", "csrf-token"]) {
      const value = await encodeV5({ token: { value: "x", ...user }, secret, salt: `__Secure-authjs.${purpose}` });
      assert.equal(await outcome(t, v5, `${cookie}=${value}`), "TOKEN_INVALID", purpose);
    }
    const v4 = await startWithIssuers(t, [{ name: "web", preset: "nextauth", secrets: [secret] }]);
    const [cookieV4] = versions.nextauth.cookies;
    for (const name of ["state", "code_verifier", "nonce", "value"]) {
      const token = await encodeV4({ token: { [name]: "x", ...user }, secret });
      assert.equal(await outcome(t, v4, `${cookieV4}=${token}`), "TOKEN_INVALID", name);
    }
  });

  test("a signed token of another issuer is none of its sessions", async (t) => {
    const issuers = [
      { name: "web", preset: "authjs", secrets: [secret] },
      { name: "api", secrets: [secret] },
    ];
    const server = await startWithIssuers(t, issuers);
    const signed = await new SignJWT({ sub: "ada", exp: now() + 60, iat: now() })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
    assert.equal((await userOf(t, server, signed)).id, "api:ada");
    const [cookie] = versions.authjs.cookies;
    assert.equal(await outcome(t, server, `${cookie}=${signed}`), "TOKEN_INVALID");
  });
});

describe("keys that are fetched", () => {
  const issuer = { name: "idp", issuer: "https://idp.example", audiences: ["ours"], jwks_allow_http: true };
  const claims = (changes) => ({ iss: issuer.issuer, aud: "ours", sub: "ada", iat: now(), exp: now() + 600, ...changes });

  test("come over TLS from a host that the machine trusts", async (t) => {
    const { tls, env } = await certificates(t);
    const key = await signingKey("key-1", "ES256");
    const keySet = await startKeySet(t, [key], tls);
    const own = { ...issuer, jwks_url: keySet.url, jwks_allow_http: false, jwks_allow_private: true };
    const token = await sign(key, claims());

    const trusting = await startWithIssuers(t, [own], { env });
    assert.equal((await userOf(t, trusting, token)).id, "idp:ada");
    assert.equal(keySet.requests[0].headers["accept-encoding"], "identity");

    const wary = await startWithIssuers(t, [own]);
    assert.equal((await answer(wary, token)).status, 503);
    const outside = await startWithIssuers(t, [{ ...own, jwks_allow_private: false }], { env });
    const before = keySet.requests.length;
    assert.equal((await answer(outside, token)).status, 503);
    assert.equal(keySet.requests.length, before, "it is not even connected to");
  });

  /** A certificate for localhost, and the environment of those who trust the authority that signed it. */
  async function certificates(t) {
    const directory = await temporaryDirectory(t);
    const file = (name) => path.join(directory, name);
    const openssl = (...args) => execFileSync("openssl", args, { cwd: directory, stdio: "ignore" });
    const made = (name) => ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", `${name}.key`];
    openssl("req", "-x509", ...made("authority"), "-out", "authority.pem", "-subj", "/CN=Test authority");
    openssl("req", ...made("localhost"), "-out", "localhost.csr", "-subj", "/CN=localhost");
    await writeFile(file("extensions"), "subjectAltName=DNS:localhost\n");
    const authority = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"];
    const signed = ["-in", "localhost.csr", "-out", "localhost.pem", "-extfile", "extensions"];
    openssl("x509", "-req", ...authority, ...signed);
    const [key, cert] = await Promise.all(["localhost.key", "localhost.pem"].map((name) => readFile(file(name))));
    return { tls: { key, cert }, env: { SSL_CERT_FILE: file("authority.pem") } };
  }

  /** What the API says of a token. */
  const answer = (server, token) => request(server, "GET", "/api/auth/me", { token });

  test("a rotated key is accepted after one fetch, and made-up ones make no more", async (t) => {
    const [first, second] = [await signingKey("first", "ES256"), await signingKey("second", "ES256")];
    const keySet = await startKeySet(t, [first]);
    const server = await startWithIssuers(t, [{ ...issuer, jwks_url: keySet.url }]);
    assert.ok((await connect(t, server, await sign(first, claims()))).connected);
    const before = keySet.requests.length;
    keySet.keys = [second];
    assert.ok((await connect(t, server, await sign(second, claims()))).connected);
    assert.equal(keySet.requests.length, before + 1);
    await assertInvalid(t, server, {
      "the key that was taken out": await sign(first, claims()),
      "a key that never was": await sign({ ...second, kid: "third" }, claims()),
    });
    const madeUp = Array.from({ length: 200 }, (_, index) => sign({ ...second, kid: `made-up-${index}` }, claims()));
    const answers = await Promise.all((await Promise.all(madeUp)).map((token) => answer(server, token)));
    assert.ok(answers.every(({ status, body }) => status === 401 && body.code === "TOKEN_INVALID"));
    assert.equal(keySet.requests.length, before + 1);
    assert.ok((await connect(t, server, await sign(second, claims()))).connected);
  });

  test("while the issuer is down, clients are told to come back, and the others are served", async (t) => {
    const key = await signingKey("key-1", "ES256");
    const keySet = await startKeySet(t, [key]);
    keySet.answer = (_, response) => response.writeHead(503).end();
    const secret = "the secret of the backend, which needs no fetch";
    const server = await startWithIssuers(t, [{ ...issuer, jwks_url: keySet.url }, { name: "api", secrets: [secret] }]);
    const refused = await answer(server, await sign(key, claims()));
    assert.equal(refused.status, 503);
    assert.equal(refused.body.code, "UNAVAILABLE");
    // No CONNECT_ERROR, after which a stock client would stay away: the transport closes.
    const socket = await import("socket.io-client").then(({ io }) =>
      io(server.url, { auth: { token: "" }, transports: ["websocket"], autoConnect: false, forceNew: true }),
    );
    t.after(() => socket.disconnect());
    socket.auth = { token: await sign(key, claims()) };
    let refusals = 0;
    socket.on("connect_error", ({ data }) => (refusals += data ? 1 : 0));
    const back = new Promise((resolve) => socket.on("connect", resolve));
    const closed = new Promise((resolve) => socket.io.on("close", resolve));
    socket.connect();
    await closed;
    const own = await new SignJWT({ id: "bob", exp: now() + 60 })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
    assert.ok((await connect(t, server, own)).connected);
    keySet.answer = undefined;
    await back;
    assert.equal(refusals, 0);
    assert.match(server.output.stderr, /cannot fetch the key set/);
  });

  test("nothing that a token points to is fetched", async (t) => {
    const [key, evil] = [await signingKey("key-1", "RS256"), await signingKey("evil", "RS256")];
    const [keySet, canary] = [await startKeySet(t, [key]), await startKeySet(t, [evil])];
    const server = await startWithIssuers(t, [{ ...issuer, jwks_url: keySet.url }]);
    assert.ok((await connect(t, server, await sign(key, claims()))).connected);
    const { kty, n, e } = evil.jwk;
    await assertInvalid(t, server, {
      jku: await sign(evil, claims(), { jku: canary.url }),
      x5u: await sign(evil, claims(), { x5u: canary.url }),
      x5c: await sign(evil, claims(), { x5c: ["MIIB"] }),
      jwk: await sign(evil, claims(), { jwk: { kty, n, e } }),
      "jku with the right kid": await sign(evil, claims(), { jku: canary.url, kid: "key-1" }),
      "an issuer elsewhere": await sign(evil, claims({ iss: new URL(canary.url).origin })),
    });
    assert.equal(canary.requests.length, 0);
  });

  test("of two issuers, each only verifies its own", async (t) => {
    const [ours, theirs] = [await signingKey("same", "RS256"), await signingKey("same", "RS256")];
    const [ourKeys, theirKeys] = [await startKeySet(t, [ours]), await startKeySet(t, [theirs])];
    const other = { ...issuer, name: "other", issuer: "https://other.example" };
    const server = await startWithIssuers(t, [
      { ...issuer, jwks_url: ourKeys.url },
      { ...other, jwks_url: theirKeys.url },
    ]);
    const ofOther = { iss: other.issuer };
    assert.equal((await userOf(t, server, await sign(ours, claims()))).id, "idp:ada");
    assert.equal((await userOf(t, server, await sign(theirs, claims(ofOther)))).id, "other:ada");
    await assertInvalid(t, server, {
      "ours, of the other": await sign(ours, claims(ofOther)),
      "theirs, of ours": await sign(theirs, claims()),
      "of a third": await sign(ours, claims({ iss: "https://third.example" })),
    });
  });
});
