"""What a step-up costs, and what a second pair of processes brings: ``python bench/scale_out.py [--seconds N]``.

Real processes on a real PostgreSQL. First the costs of one step-up (processor, transactions, bytes), measured one at a
time: a busy machine changes them little. Then throughput with one server and one worker that may use one core, and with
two pairs on a core each: clients, balancer and PostgreSQL share these cores, so the ratio is a lower bound.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2
import platformdirs
import psycopg

from _installation import Running, Stepper, Tally, capacity, post, running
from ipse.samples.head import Head
from ipse.samples.portraits import portraits
from machine import description
from step_up_latency import Recorder, StepUps

_SIZES = """
SELECT relname, pg_total_relation_size(c.oid) AS bytes FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind = 'r' AND nspname = 'public'
"""


def database_state(run: Running) -> tuple[int, int, dict[str, int]]:
    """Transactions so far, bytes of the journal so far, and the size of every table with its indexes."""
    with psycopg.connect(
        host=str(run.database.folder), user="postgres", dbname=run.name, autocommit=True
    ) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        time.sleep(1.5)  # the servers' own statistics arrive within a second
        row = connection.execute(
            "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
        ).fetchone()
        wal = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        assert wal is not None
        return row[0], int(wal[0]), dict(connection.execute(_SIZES).fetchall())


def folder_bytes(folder: Path) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def idle_costs(run: Running, seconds: float) -> tuple[dict[str, float], float]:
    """Processor seconds and transactions of each second in which nobody does anything."""
    before, (transactions, _, _) = run.processor_s(), database_state(run)
    began = time.perf_counter()
    time.sleep(seconds)
    after, (later, _, _) = run.processor_s(), database_state(run)
    passed = time.perf_counter() - began
    return {name: (after[name] - before[name]) / passed for name in after}, (later - transactions) / passed


def costs(run: Running, method: str, count: int, idle: tuple[Mapping[str, float], float]) -> None:
    """Print what one step-up of ``method`` costs, less what the processes use when nobody does anything."""
    pictures = portraits(Path(platformdirs.user_cache_dir("ipse")) / "samples")
    step_ups = stepper = None
    if method == "ACTIVE_3D":
        recorder = Recorder(Head.of("obama_1", pictures["obama_1"]))
        step_ups = active(run, recorder, pictures["obama_2"])
        step_ups.run(method)
    else:
        stepper = Stepper(run, 1, real=method == "PASSIVE")
        stepper.step_up(Tally())
    transactions, wal, sizes = database_state(run)
    (images, image_bytes), before, began = folder_bytes(run.images), run.processor_s(), time.perf_counter()
    for _ in range(count):
        if step_ups is not None:
            step_ups.run(method)
        elif stepper is not None:
            session = stepper.step_up(Tally())
            assert session is not None
            run.arrivals.wait(session)
    passed = time.perf_counter() - began
    used = {name: seconds - before[name] - idle[0][name] * passed for name, seconds in run.processor_s().items()}
    later, wal_later, sizes_later = database_state(run)
    more, more_bytes = folder_bytes(run.images)
    print(f"\n{method}: {count} step-ups, {passed / count * 1000:.0f} ms each with all waiting")
    for name, seconds in used.items():
        print(f"  processor of {name:<12} {seconds / count * 1000:>8.1f} ms")
    own = (later - transactions) - idle[1] * passed
    print(f"  transactions              {own / count:>8.1f}")
    print(f"  journal of PostgreSQL     {(wal_later - wal) / count / 1024:>8.1f} kB")
    kept = (more_bytes - image_bytes) / count / 1024
    print(f"  images                    {(more - images) / count:>8.1f}    {kept:.1f} kB")
    grown = {table: size - sizes.get(table, 0) for table, size in sizes_later.items() if size > sizes.get(table, 0)}
    total = sum(grown.values()) / count
    largest = ", ".join(f"{t} {b / count / 1024:.1f}" for t, b in sorted(grown.items(), key=lambda i: -i[1])[:7])
    print(f"  tables and indexes        {total / 1024:>8.1f} kB ({largest})")


def active(run: Running, recorder: Recorder, portrait: bytes) -> StepUps:
    """Step-ups with three turns of the head."""
    import base64

    workflow = {
        "features": [{"feature": "LIVENESS"}, {"feature": "FACE_MATCH"}],
        "face_liveness_method": "ACTIVE_3D",
        "face_liveness_max_attempts": 1,
    }
    group = post(run.url, run.key, "/v3/workflows/", 201, json=workflow)["workflow_id"]
    body = {"workflow_id": group, "portrait_image": base64.b64encode(portrait).decode()}
    return StepUps(httpx2.Client(base_url=run.url, timeout=60), run.key, run.arrivals, recorder, body)


def evaluations(run: Running, count: int, idle: Mapping[str, float]) -> None:
    """Print what it costs to ask whether a face is needed."""
    ask = {"action": {"type": "login"}, "vendor_data": "asked", "ip_address": "62.1.2.3"}
    with httpx2.Client(base_url=run.url, headers={"x-api-key": run.key}, timeout=60) as client:
        before = run.processor_s()
        for number in range(count + 20):
            if number == 20:
                before, began = run.processor_s(), time.perf_counter()
            answer = client.post("/v3/step-up/evaluate/", json=ask)
            if answer.status_code != 200:
                raise SystemExit(f"evaluate answered {answer.status_code}: {answer.text[:200]}")
        passed = time.perf_counter() - began
    print(f"\nevaluations: {count}")
    for name, seconds in run.processor_s().items():
        print(f"  processor of {name:<12} {(seconds - before[name] - idle[name] * passed) / count * 1000:>8.2f} ms")


def throughput(pairs: int, seconds: float, *, real: bool) -> float:
    """Step-ups a second of ``pairs`` servers and workers on a core each."""
    cores = sorted(os.sched_getaffinity(0))[:pairs]
    with (
        tempfile.TemporaryDirectory(prefix="ipse-bench-") as folder,
        running(Path(folder), pairs=pairs, cores=cores, inference_workers=1) as run,
    ):
        clients = 3 * pairs
        stepper = Stepper(run, clients, real=real)
        capacity(stepper, clients, min(5.0, seconds))  # warm up
        rate, tally = capacity(stepper, clients, seconds)
        refused = {status: count for status, count in tally.statuses.items() if status >= 400}
        print(
            f"  {pairs} server(s) + {pairs} worker(s): {rate:6.2f} step-ups/s, selfie p50 "
            f"{tally.percentile(0.5, 'selfie'):.0f} p99 {tally.percentile(0.99, 'selfie'):.0f} ms, "
            f"refused {refused or 'none'}, without an answer {tally.broken}"
        )
        return rate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long each throughput is measured")
    parser.add_argument("--step-ups", type=int, default=100, help="how many each cost is the mean of")
    parser.add_argument("--only", choices=["costs", "throughput"], help="one half of it")
    options = parser.parse_args()
    print(f"{description()}; load average {os.getloadavg()[0]:.1f} at the start")
    if options.only != "throughput":
        with (
            tempfile.TemporaryDirectory(prefix="ipse-bench-") as folder,
            running(Path(folder), pairs=1) as run,
        ):
            resident = ", ".join(f"{name} {mib:.0f} MiB" for name, mib in run.resident_mib().items())
            print(f"resident when idle: {resident}")
            idle = idle_costs(run, 10)
            print(f"idle, each second: {idle[1]:.1f} transactions, "
                  + ", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in idle[0].items()))  # fmt: skip
            costs(run, "SCENARIO", options.step_ups, idle)
            costs(run, "PASSIVE", options.step_ups, idle)
            costs(run, "ACTIVE_3D", max(5, options.step_ups // 4), idle)
            evaluations(run, options.step_ups * 5, idle[0])
            print(f"\nresident afterwards: {', '.join(f'{n} {m:.0f} MiB' for n, m in run.resident_mib().items())}")
    if options.only != "costs":
        for real in (True, False):
            print(f"\nthroughput, {'one selfie, models run' if real else 'scenarios, no model runs'}:")
            one, two = (throughput(pairs, options.seconds, real=real) for pairs in (1, 2))
            print(f"  ratio {two / one:.2f}")


if __name__ == "__main__":
    main()
