"""Three times as much as it can do: ``python bench/overload.py [--seconds N] [--times 3]``.

One server and one worker on PostgreSQL, models running. Step-ups begin at three times the measured capacity. What does
not fit is to be turned away cleanly, 503 with ``Retry-After``, nothing may crash, and when the crowd has gone the next
step-up must be as quick as ever within 5 s.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from _installation import Stepper, Tally, capacity, running
from http_latency import line
from machine import Stolen, description
from mixed_load import at_rate

_CLIENTS = 256


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long the overload lasts")
    parser.add_argument("--times", type=float, default=3, help="how many times the measured capacity")
    parser.add_argument("--capacity-seconds", type=float, default=30, help="how long the capacity is measured")
    options = parser.parse_args()
    print(f"{description()}; load average {os.getloadavg()[0]:.1f} at the start")
    stolen = Stolen()
    with (
        tempfile.TemporaryDirectory(prefix="ipse-bench-") as folder,
        running(Path(folder), pairs=1, queue=8) as run,
    ):
        stepper = Stepper(run, _CLIENTS)
        capacity(stepper, 4, 5)  # warm up
        most, usual = capacity(stepper, 4, options.capacity_seconds)
        normal = usual.percentile(0.99, "selfie")
        print(
            f"capacity {most:.2f} step-ups/s, selfie p99 {normal:.0f} ms; {most * options.times:.2f} begin each second"
        )

        tally = Tally()
        begun = at_rate(stepper, most * options.times, options.seconds, lambda: stepper.step_up(tally))
        over = time.perf_counter()
        for future in begun:
            if not future.running():
                future.cancel()  # who has not begun by now goes home
        recovered = None
        while recovered is None and time.perf_counter() - over < 60:
            one = Tally()
            if stepper.step_up(one) is not None and one.percentile(1.0, "selfie") <= max(normal, 1.0):
                recovered = time.perf_counter() - over
        crashed = [process.pid for process in (*run.servers, *run.workers) if not process.is_running()]

    refused = tally.statuses.get(503, 0)
    unclean = sum(count for status, count in tally.statuses.items() if status >= 400 and status != 503) + tally.undated
    print(f"the host took {stolen.share():.0%} of the processor time meanwhile")
    print(f"{tally.decided} decided, {refused} refused, statuses {tally.statuses}, without an answer {tally.broken}")
    print(f"selfie p50 {tally.percentile(0.5, 'selfie'):.0f} p99 {tally.percentile(0.99, 'selfie'):.0f} ms meanwhile")
    line(
        "answers other than success or 503 with Retry-After",
        str(unclean + tally.broken),
        "0",
        not unclean + tally.broken,
    )
    line("processes that ended", str(len(crashed)), "0", not crashed)
    shown = "never" if recovered is None else f"{recovered:.1f} s"
    line("as quick as before", shown, "<= 5 s", recovered is not None and recovered <= 5)


if __name__ == "__main__":
    main()
