"""Latency of policy evaluation under load: ``python bench/policy_latency.py [--rate 100 200] [--seconds 30]``.

As ``risk_latency.py``: a real ``ipse serve`` on an empty SQLite database, open loop, timed from when a request was
due. 500 persons ask from a device and a network of their own with the shipped policy; each evaluation is recorded with
its facts before it is answered. The rate is also halved and doubled, so that the knee is seen and not only the goal.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import time
from collections.abc import Iterator
from typing import Final

from machine import description
from risk_latency import Connections, Measured, _request, _send, cpu_seconds, serving, without_pauses

PATH: Final = "/v3/step-up/evaluate/"
GOAL_MS: Final = 20.0
PEOPLE: Final = 500
WARM_UP_S: Final = 3.0

_CHANCE = random.Random(2)


def bodies() -> Iterator[dict[str, object]]:
    """Transfers and logins of known and unknown persons, most of them from where they always are."""
    while True:
        person = _CHANCE.randrange(PEOPLE)
        away = _CHANCE.random() < 0.1
        transfer = {"type": "transfer", "amount": f"{_CHANCE.randrange(1, 900)}.50", "currency": "EUR"}
        action: dict[str, object] = {**transfer, "account": f"ES91210004184502000{_CHANCE.randrange(5):05d}"}
        yield {
            "action": {"type": "login"} if _CHANCE.random() < 0.5 else action,
            "vendor_data": f"user-{person}",
            "ip_address": f"62.{person % 200}.{_CHANCE.randrange(256) if away else person % 256}.7",
            "device": {"persistent_id": f"device-of-user-{person:05d}", "fingerprint": f"{person:064x}"},
            "context": {"session_started_at": "2026-01-01T00:00:00Z"},
        }


async def load(port: int, key: str, rate: float, seconds: float) -> Measured:
    """Send ``rate`` requests a second for ``seconds``, after a warm-up that is not counted."""
    without_pauses()
    connections, measured, asked = Connections(port), Measured(), bodies()
    began = time.perf_counter()
    due, tasks = began, []

    async def ask(due: float, body: dict[str, object]) -> None:
        status, answer = await _send(connections, _request("POST", PATH, port, key, body))
        if due - began >= WARM_UP_S:
            measured.milliseconds.append((time.perf_counter() - due) * 1000)
            measured.statuses["policy_failed" if b"policy_failed" in answer else str(status)] += 1

    while due - began < WARM_UP_S + seconds:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(ask(due, next(asked))))
        due += _CHANCE.expovariate(rate)
    await asyncio.gather(*tasks)
    await connections.close()
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, nargs="*", default=[25, 50, 100, 200], help="requests a second")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--processes", type=int, default=1, help="processes of the server")
    asked = parser.parse_args()
    print(description())
    print(f"open loop, {asked.seconds:g} s for each rate, {asked.processes} server process(es)")
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    print(f"{'rate':>6} {'p50':>9} {'p95':>9} {'p99':>9} {'max':>9}   {'server':>7}  answers")
    with serving(asked.processes) as (port, key, process):
        for rate in asked.rate:
            used, began = cpu_seconds(process), time.perf_counter()
            found = asyncio.run(load(port, key, rate, asked.seconds))
            share = (cpu_seconds(process) - used) / (time.perf_counter() - began)
            p50, p95, p99 = (found.percentile(one) for one in (0.5, 0.95, 0.99))
            met = p99 <= GOAL_MS and set(found.statuses) == {"200"}
            print(
                f"{rate:>4g}/s {p50:>7.1f}ms {p95:>7.1f}ms {p99:>7.1f}ms {max(found.milliseconds):>7.1f}ms   "
                f"{share:>4.0%} CPU  {dict(found.statuses)}  goal p99 <= {GOAL_MS:g} ms: {'met' if met else 'NOT MET'}"
            )
    print(f"{os.getloadavg()[0]:.1f} load after")


if __name__ == "__main__":
    main()
