// The OpenAPI document, judged by others: a validator of such documents, and a validator of JSON schemas that looks at
// what the server really answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

import { PASSWORD, register, request } from "./support/rest.mjs";
import { startServer } from "./support/server.mjs";

const KEY = "rk_end-to-end-key-of-32-characters-or-more";
const KEYS = `[{ name = "tests", key = "${KEY}", scopes = ["revoke", "users"] }]`;

test("the document is one", async (t) => {
  const server = await startServer(t);
  const { body } = await request(server, "GET", "/openapi.json");
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(body));
  assert.ok(valid, JSON.stringify(errors, null, 2));
  assert.equal(validator.version, "3.1");
});

test("answers are as the document says", async (t) => {
  const server = await startServer(t, { env: { ROOMKEY__AUTH__API_KEYS: KEYS } });
  const { body: document } = await request(server, "GET", "/openapi.json");
  const check = checker(document);
  const call = async (method, path, pattern, options = {}) => {
    const answer = await request(server, method, path, options);
    check(method, pattern ?? path, answer, options.body);
    return answer;
  };

  const ada = await register(server, "ada");
  const token = ada.token;
  const bob = await register(server, "bob");
  const login = { username: "ada", password: PASSWORD };
  const session = (await call("POST", "/api/auth/login", undefined, { body: login })).body;
  await call("POST", "/login", undefined, { body: { ...login, password: "a wrong password" } });
  await call("POST", "/api/auth/register", undefined, { body: { email: "ada@example.com", password: PASSWORD } });
  await call("POST", "/api/auth/refresh", undefined, { body: { refreshToken: session.refreshToken } });
  await call("POST", "/api/auth/refresh", undefined, { body: { refreshToken: "nonsense" } });
  await call("GET", "/api/auth/me", undefined, { token });
  await call("GET", "/api/auth/me");
  await call("GET", "/api/auth/sessions", undefined, { token });
  await call("DELETE", "/api/auth/sessions/nothing", "/api/auth/sessions/{sid}", { token });
  await call("POST", "/api/auth/ticket", undefined, { token });
  const password = { currentPassword: PASSWORD, newPassword: "another long password" };
  await call("POST", "/api/auth/password", undefined, { token, body: password });

  const created = await call("POST", "/api/channels", undefined, { token, body: { name: "den" } });
  const channel = `/api/channels/${created.body.channel.id}`;
  await call("GET", "/api/channels", undefined, { token });
  const member = { userId: bob.user.id };
  await call("POST", `${channel}/members`, "/api/channels/{id}/members", { token, body: member });
  await call("GET", `${channel}/members`, "/api/channels/{id}/members", { token });
  await call("GET", `${channel}/messages?limit=5`, "/api/channels/{id}/messages", { token });
  await call("GET", `${channel}/offline?limit=5`, "/api/channels/{id}/offline", { token });
  await call("GET", "/api/offline", undefined, { token });
  for (const [method, what] of [["POST", "delivered"], ["POST", "seen"], ["GET", "status"]]) {
    await call(method, `/api/messages/nothing/${what}`, `/api/messages/{id}/${what}`, { token });
  }
  await call("GET", "/api/channels/nothing/messages", "/api/channels/{id}/messages", { token });
  const text = { content: "hello", clientId: "c1" };
  const { body: sent } = await call("POST", `${channel}/messages`, "/api/channels/{id}/messages", { token, body: text });
  const message = `/api/messages/${sent.message.id}`;
  await call("PATCH", message, "/api/messages/{id}", { token, body: { content: "hello!" } });
  await call("DELETE", message, "/api/messages/{id}", { token });
  await call("PATCH", message, "/api/messages/{id}", { token, body: { content: "back" } });
  await call("GET", `${channel}/messages`, "/api/channels/{id}/messages", { token });
  const { body: issued } = await call("POST", `${channel}/invites`, "/api/channels/{id}/invites", { token, body: { uses: 2 } });
  await call("POST", `/api/invites/${issued.invite}`, "/api/invites/{invite}", { token: bob.token });
  await call("POST", "/api/invites/nonsense", "/api/invites/{invite}", { token });
  await call("POST", `${channel}/leave`, "/api/channels/{id}/leave", { token: bob.token });
  await call("POST", `${channel}/leave`, "/api/channels/{id}/leave", { token });
  const change = { name: "hall", visibility: "public", retention: { maxMessages: 1000 } };
  await call("PATCH", channel, "/api/channels/{id}", { token, body: change });
  await call("POST", `${channel}/join`, "/api/channels/{id}/join", { token: bob.token });
  const bobsPlace = `${channel}/members/${bob.user.id}`;
  await call("DELETE", bobsPlace, "/api/channels/{id}/members/{userId}", { token });
  await call("PATCH", channel, "/api/channels/{id}", { token, body: { archived: true } });
  await call("POST", `${channel}/messages`, "/api/channels/{id}/messages", { token, body: text });
  await call("POST", `${channel}/messages`, "/api/channels/{id}/messages", { token, body: { content: "too late" } });

  const headers = { "x-api-key": KEY };
  const user = `/api/users/${bob.user.id}`;
  await call("GET", `${user}/sessions`, "/api/users/{id}/sessions", { headers });
  await call("POST", `${user}/block`, "/api/users/{id}/block", { headers });
  await call("POST", `${user}/unblock`, "/api/users/{id}/unblock", { headers });
  await call("POST", `${user}/block`, "/api/users/{id}/block");
  await call("POST", "/api/auth/revoke", undefined, { headers, body: { user: ada.user.id } });
  await call("POST", "/api/auth/logout", undefined, { token: session.token });
  for (const path of ["/.well-known/jwks.json", "/healthz", "/readyz", "/metrics"]) await call("GET", path);
});

/** Checks an answer, and the body that was accepted for it, against the description of the operation. */
function checker(document) {
  const ajv = addFormats(new Ajv({ strict: false, allErrors: true }));
  ajv.addSchema({ ...document, $id: "https://roomkey.invalid/openapi.json" });
  const pointer = (...parts) => parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  const validate = (parts, value, what) => {
    const validator = ajv.getSchema(`https://roomkey.invalid/openapi.json#${encodeURI(pointer(...parts))}`);
    assert.ok(validator(value), `${what}: ${JSON.stringify(validator.errors)} in ${JSON.stringify(value)}`);
  };
  return (method, path, answer, sent) => {
    const what = `${method} ${path} ${answer.status}`;
    const operation = document.paths[path]?.[method.toLowerCase()];
    assert.ok(operation, what);
    const response = operation.responses[String(answer.status)];
    assert.ok(response, `${what} is not described: ${answer.text}`);
    const at = ["paths", path, method.toLowerCase()];
    const [type] = Object.keys(response.content ?? {});
    if (type === undefined) assert.equal(answer.text, "", what);
    else validate([...at, "responses", String(answer.status), "content", type, "schema"], answer.body ?? answer.text, what);
    if (sent !== undefined && answer.status < 300) {
      validate([...at, "requestBody", "content", "application/json", "schema"], sent, `the body of ${what}`);
    }
  };
}
