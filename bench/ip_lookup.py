"""How long an address look-up takes, how long opening the data takes, and how much of the internet the rules know.

Run: ``.venv/bin/python bench/ip_lookup.py [--lookups 20000]``. Addresses are drawn evenly from announced IPv4 space,
so none is looked up twice. Processor time is printed beside wall time: they differ when the machine is busy.
"""

from __future__ import annotations

import argparse
import ipaddress
import random
import statistics
import time
from collections import Counter
from datetime import UTC, datetime

from ipse.intelligence.network import NetworkIntelligence
from ipse.settings import Settings
from machine import description, resident_mib

FIRST, LAST = int(ipaddress.IPv4Address("1.0.0.0")), int(ipaddress.IPv4Address("223.255.255.255"))


def main() -> None:
    """Print opening time and memory, look-up times, and shares of the address space by connection."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lookups", type=int, default=20_000)
    wanted = parser.parse_args().lookups
    print(description())
    before, began = resident_mib(), time.perf_counter()
    NetworkIntelligence.load(None)
    packages = time.perf_counter() - began
    began = time.perf_counter()
    network = NetworkIntelligence.load(Settings().intelligence_dir)
    opening = time.perf_counter() - began
    print(f"missing: {', '.join(network.missing) or 'nothing'}")
    print(f"first load of the package's ranges {packages * 1e3:.0f} ms, opening the data {opening * 1e3:.0f} ms")
    on = datetime.now(UTC).date()
    drawing = random.Random(1)
    network.look_up("8.8.8.8", on=on)
    times, kinds, announced = [], Counter[str](), 0
    cpu = time.process_time()
    while announced < wanted:
        text = str(ipaddress.IPv4Address(drawing.randint(FIRST, LAST)))
        began = time.perf_counter()
        facts = network.look_up(text, on=on)
        passed = time.perf_counter() - began
        if facts.asn is None and "asn" not in network.missing:
            continue
        announced += 1
        times.append(passed * 1e6)
        kinds[facts.connection.value] += 1
    cpu = time.process_time() - cpu
    cuts = statistics.quantiles(times, n=100)
    print(f"look-ups {wanted}, every address new: p50 {cuts[49]:.0f} us, p99 {cuts[98]:.0f} us, wall")
    print(f"processor time, look-ups that found no operator included: {cpu / wanted * 1e6:.0f} us for each of them")
    print(f"memory that the process grew by: {resident_mib() - before:.0f} MiB, mapped pages included")
    shares = ", ".join(f"{kind} {count / wanted:.1%}" for kind, count in kinds.most_common())
    print(f"share of announced IPv4 addresses by connection: {shares}")


if __name__ == "__main__":
    main()
