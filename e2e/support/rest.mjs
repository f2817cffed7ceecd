// The HTTP API, as any program uses it.

import assert from "node:assert/strict";

/** One request; the answer's status, headers and decoded body. */
export async function request(server, method, path, { token, body, headers = {} } = {}) {
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

/** A new account: `{token, expiresIn, user}`. */
export async function register(server, username) {
  const body = { email: `${username}@example.com`, username, password: PASSWORD };
  return expectStatus(201, await request(server, "POST", "/api/auth/register", { body }));
}

/** On no list of leaked passwords, and without anybody's name in it. */
export const PASSWORD = "7 purple tandems at noon";

/** A channel that belongs to whose token it is, with these users as members. */
export async function createChannel(server, token, members = [], visibility = "private") {
  const body = { name: "harbour", visibility };
  const { channel } = expectStatus(201, await request(server, "POST", "/api/channels", { token, body }));
  for (const userId of members) {
    await addMember(server, token, channel.id, userId);
  }
  return channel;
}

export async function addMember(server, token, channelId, userId, role = "member") {
  const path = `/api/channels/${channelId}/members`;
  const answer = await request(server, "POST", path, { token, body: { userId, role } });
  expectStatus(201, answer);
}

/** Everything in the channel, oldest first, page by page. */
export async function history(server, token, channelId) {
  const messages = [];
  for (;;) {
    const after = messages.at(-1)?.seq ?? 0;
    const path = `/api/channels/${channelId}/messages?after=${after}&limit=100`;
    const page = expectStatus(200, await request(server, "GET", path, { token })).messages;
    if (page.length === 0) return messages;
    messages.push(...page);
  }
}

export function expectStatus(status, answer) {
  assert.equal(answer.status, status, answer.text);
  return answer.body;
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
