"""python-socketio whose server goes away and comes back: `comeback.py URL`, talks over standard input and output."""

import asyncio
import sys

import socketio


async def main(url):
    client = socketio.AsyncClient(reconnection_delay=0.05, reconnection_delay_max=0.2)
    client.on("connect", lambda: print("connected", flush=True))
    client.on("disconnect", lambda reason: print("disconnected", reason, flush=True))
    await client.connect(url, auth={"token": sys.argv[2]} if len(sys.argv) > 2 else None)
    await asyncio.to_thread(sys.stdin.read)
    await client.disconnect()


asyncio.run(main(sys.argv[1]))
