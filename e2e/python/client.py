"""python-socketio against the example `protocol_server`: `client.py KIND TRANSPORTS URL`.

KIND is `asyncio` or `threaded`, TRANSPORTS a list with commas. Prints `done`, or fails.
"""

import asyncio
import queue
import sys

import socketio

PATIENCE_S = 30
NAMESPACES = ["/", "/custom"]


async def run_asyncio(url, transports):
    heard = asyncio.Queue()
    client = socketio.AsyncClient(reconnection=False)
    for namespace in NAMESPACES:
        client.on("question", lambda *args: (*args, "indeed"), namespace=namespace)
        for event in ["auth", "message-back"]:
            client.on(event, listener(heard.put_nowait, namespace, event), namespace=namespace)

    async def hear():
        return await asyncio.wait_for(heard.get(), PATIENCE_S)

    await client.connect(url, auth={"token": "abc"}, namespaces=NAMESPACES, transports=transports, wait_timeout=PATIENCE_S)
    assert sorted([await hear(), await hear()]) == GREETINGS
    for namespace in NAMESPACES:
        for args in MESSAGES:
            await client.emit("message", args, namespace=namespace)
            expect(await hear(), (namespace, "message-back", *args))
            ack = await client.call("message-with-ack", args, namespace=namespace, timeout=PATIENCE_S)
            expect(ack, answer(args))
        asked = await client.call("ask", ("why", 1), namespace=namespace, timeout=PATIENCE_S)
        expect(asked, ("why", 1, "indeed"))
        for number in range(MANY):
            await client.emit("message", number, namespace=namespace)
        for number in range(MANY):
            expect(await hear(), (namespace, "message-back", number))
    expect(client.transport(), transports[-1])
    await client.disconnect()
    await client.wait()

    refused = socketio.AsyncClient(reconnection=False)
    refused.on("connect_error", listener(heard.put_nowait, "/nowhere", "connect_error"), namespace="/nowhere")
    try:
        await refused.connect(url, namespaces=["/nowhere"], transports=transports, wait_timeout=PATIENCE_S)
        raise AssertionError("the server let it in")
    except socketio.exceptions.ConnectionError:
        expect(await hear(), REFUSAL)


def run_threaded(url, transports):
    heard = queue.Queue()
    client = socketio.Client(reconnection=False)
    for namespace in NAMESPACES:
        client.on("question", lambda *args: (*args, "indeed"), namespace=namespace)
        for event in ["auth", "message-back"]:
            client.on(event, listener(heard.put, namespace, event), namespace=namespace)

    def hear():
        return heard.get(timeout=PATIENCE_S)

    client.connect(url, auth={"token": "abc"}, namespaces=NAMESPACES, transports=transports, wait_timeout=PATIENCE_S)
    assert sorted([hear(), hear()]) == GREETINGS
    for namespace in NAMESPACES:
        for args in MESSAGES:
            client.emit("message", args, namespace=namespace)
            expect(hear(), (namespace, "message-back", *args))
            ack = client.call("message-with-ack", args, namespace=namespace, timeout=PATIENCE_S)
            expect(ack, answer(args))
        asked = client.call("ask", ("why", 1), namespace=namespace, timeout=PATIENCE_S)
        expect(asked, ("why", 1, "indeed"))
        for number in range(MANY):
            client.emit("message", number, namespace=namespace)
        # Each handler has a thread of its own, so that the order they end in says nothing.
        for _ in range(MANY):
            expect(hear()[:2], (namespace, "message-back"))
    expect(client.transport(), transports[-1])
    client.disconnect()
    client.wait()

    refused = socketio.Client(reconnection=False)
    refused.on("connect_error", listener(heard.put, "/nowhere", "connect_error"), namespace="/nowhere")
    try:
        refused.connect(url, namespaces=["/nowhere"], transports=transports, wait_timeout=PATIENCE_S)
        raise AssertionError("the server let it in")
    except socketio.exceptions.ConnectionError:
        expect(hear(), REFUSAL)


# A poll has at most 16 packets, or this client refuses it.
MANY = 100
GREETINGS = [(namespace, "auth", {"token": "abc"}) for namespace in NAMESPACES]
REFUSAL = ("/nowhere", "connect_error", {"message": "Invalid namespace"})
MESSAGES = [
    ("caf\u00e9", 1, None, {"a": [True, -0.5]}),
    (b"\x01\x02\xff",),
    ({"parts": [b"", "and", bytes(range(256)) * 300]}, "end"),
]


def listener(put, namespace, event):
    return lambda *args: put((namespace, event, *args))


def answer(args):
    return args[0] if len(args) == 1 else args


def expect(actual, expected):
    actual = tuple(actual) if isinstance(expected, tuple) else actual
    assert actual == expected, f"{actual!r} instead of {expected!r}"


kind, transports, url = sys.argv[1:]
if kind == "asyncio":
    asyncio.run(run_asyncio(url, transports.split(",")))
else:
    run_threaded(url, transports.split(","))
print("done")
