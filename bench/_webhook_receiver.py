"""Receivers of webhooks in a process of their own: one that answers at once, and one that accepts and never answers.

Prints the two ports as one line of JSON, then answers each line on standard input: ``count`` with how many deliveries
came, ``report`` with every one of them as [event id, session id, session version, Unix time], and forgets them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"

arrivals: list[tuple[str, str, int, float]] = []


async def _answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        event = json.loads(await reader.readexactly(length))
        arrivals.append((event["event_id"], event["session_id"], event["session_version"], time.time()))
        writer.write(_ANSWER)
        await writer.drain()
    writer.close()


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read(-1)
    writer.close()


async def main() -> None:
    """Serve until standard input ends."""
    servers = [await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512) for serve in (_answering, _silent)]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip() == "count":
            print(len(arrivals), flush=True)
        else:
            report = json.dumps(arrivals)
            arrivals.clear()
            print(report, flush=True)


if __name__ == "__main__":
    asyncio.run(main())
