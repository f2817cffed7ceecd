"""A backend beside Roomkey, without any package: it answers `order:*` events, hears of messages, and emits.

  PORT=4000 ROOMKEY_URL=http://127.0.0.1:3000 ROOMKEY_API_KEY=... ROOMKEY_SECRET=whsec_... python3 server.py
"""

import base64
import hashlib
import hmac
import json
import os
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["ROOMKEY_SECRET"].removeprefix("whsec_"))
PRICES = {"tea": 4, "cake": 6}
# The ids of the webhooks that were heard. A real backend keeps them with what it makes of them, in its database.
HEARD = set()
BODY_BYTES_MAX = 1_000_000


class Backend(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("content-length", 0))
        if length > BODY_BYTES_MAX:
            return self.answer(413)
        body = self.rfile.read(length)
        if not is_signed(self.headers, body):
            return self.answer(401, {"error": "not signed"})
        said = json.loads(body)
        if self.path == "/events":
            return self.handle_event(said["type"], **said["data"])
        self.hear(said["type"], said["data"])
        self.answer(204)

    def handle_event(self, event, user, args):
        """What is answered is the ack of the client: `{data: ..}`, or `{error: .., code: "BACKEND_REFUSED"}`."""
        sku = args[0].get("sku") if args and isinstance(args[0], dict) else None
        if event != "order:create" or sku not in PRICES:
            return self.answer(422, {"error": "There is no such product"})
        order = {"sku": sku, "price": PRICES[sku]}
        # To all sockets of the user, and only once for this event, however often it is tried.
        emit(self.headers["webhook-id"], {"users": [user["id"]], "event": "order:created", "args": [order]})
        self.answer(200, {**order, "buyer": user["id"]})

    def hear(self, event, data):
        """A webhook comes again when its answer was lost: the same id, and nothing is done twice."""
        if self.headers["webhook-id"] not in HEARD:
            HEARD.add(self.headers["webhook-id"])
            print("heard", event, data.get("content", ""), flush=True)

    def answer(self, status, answer=None):
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def is_signed(headers, body):
    """As the specification of Standard Webhooks says; the time keeps an old request from being sent again by somebody."""
    try:
        sent = int(headers.get("webhook-timestamp", ""))
    except ValueError:
        return False
    signed = f"{headers.get('webhook-id')}.{sent}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256)).decode()
    signatures = headers.get("webhook-signature", "").split(" ")
    return abs(time.time() - sent) < 300 and any(hmac.compare_digest(given.encode(), expected.encode()) for given in signatures)


def emit(name, emission):
    headers = {
        "content-type": "application/json",
        "x-api-key": os.environ["ROOMKEY_API_KEY"],
        "idempotency-key": name,
    }
    url = os.environ["ROOMKEY_URL"] + "/api/emit"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(emission).encode(), headers), timeout=10).close()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "4000"))), Backend)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
