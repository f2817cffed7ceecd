// A backend beside Roomkey, without any package: it answers `order:*` events, hears of messages, and emits.
//
//   PORT=4000 ROOMKEY_URL=http://127.0.0.1:3000 ROOMKEY_API_KEY=... ROOMKEY_SECRET=whsec_... node server.mjs

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const { PORT = "4000", ROOMKEY_URL, ROOMKEY_API_KEY, ROOMKEY_SECRET } = process.env;
const key = Buffer.from(ROOMKEY_SECRET.replace(/^whsec_/, ""), "base64");
const prices = new Map([["tea", 4], ["cake", 6]]);

const server = createServer(async (request, response) => {
  const body = await read(request);
  if (request.method !== "POST" || !isSigned(request.headers, body)) return answer(response, 401, { error: "not signed" });
  const { type, data } = JSON.parse(body);
  const id = request.headers["webhook-id"];
  if (request.url === "/events") return handle(response, id, type, data);
  await hear(id, type, data);
  answer(response, 204);
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));

/** What is answered is the ack of the client: `{data: ..}`, or `{error: .., code: "BACKEND_REFUSED"}`. */
async function handle(response, id, type, { user, args: [order] }) {
  const price = prices.get(order?.sku);
  if (type !== "order:create" || price === undefined) return answer(response, 422, { error: "There is no such product" });
  // To all sockets of the user, and only once for this event, however often it is tried.
  await emit(id, { users: [user.id], event: "order:created", args: [{ sku: order.sku, price }] });
  answer(response, 200, { sku: order.sku, price, buyer: user.id });
}

/** The ids of the webhooks that were heard. A real backend keeps them with what it makes of them, in its database. */
const heard = new Set();

/** A webhook comes again when its answer was lost: the same id, and nothing is done twice. */
async function hear(id, type, data) {
  if (heard.has(id)) return;
  heard.add(id);
  console.log(`heard ${type} ${data.content ?? ""}`);
}

/** As the specification of Standard Webhooks says; the time keeps an old request from being sent again by somebody. */
function isSigned(headers, body) {
  const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signatures = "" } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(time)) < 300)) return false;
  const expected = Buffer.from(`v1,${createHmac("sha256", key).update(`${id}.${time}.${body}`).digest("base64")}`);
  return signatures.split(" ").some((text) => {
    const given = Buffer.from(text);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

async function emit(name, emission) {
  const headers = { "content-type": "application/json", "x-api-key": ROOMKEY_API_KEY, "idempotency-key": name };
  const sent = await fetch(`${ROOMKEY_URL}/api/emit`, { method: "POST", headers, body: JSON.stringify(emission) });
  if (!sent.ok) console.error(`cannot emit: ${await sent.text()}`);
}

async function read(request) {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 1_000_000) throw new Error("too long");
  }
  return text;
}

function answer(response, status, json) {
  response.writeHead(status, { "content-type": "application/json" }).end(json && JSON.stringify(json));
}
