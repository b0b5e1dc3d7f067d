"""One engine serves many threads, and each gets what it would have got alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import decode
from ipse.biometrics.pool import InferencePool

pytestmark = pytest.mark.models


def _whole_way(engine: FaceEngine, data: bytes) -> tuple[bytes, float, float, float | None]:
    scan = engine.scan(decode(data))
    liveness = engine.liveness([scan])
    return engine.template(scan).to_bytes(), engine.quality(scan).overall, engine.age(scan), liveness.score


def test_results_do_not_depend_on_who_else_computes(face_engine: FaceEngine, portraits: Mapping[str, bytes]) -> None:
    alone = {name: _whole_way(face_engine, data) for name, data in portraits.items()}
    names = list(portraits) * 3
    with ThreadPoolExecutor(6) as threads:
        together = list(threads.map(lambda name: _whole_way(face_engine, portraits[name]), names))
    for name, result in zip(names, together, strict=True):
        assert result == alone[name]


def test_the_pool_runs_the_engine_without_blocking_the_loop(
    face_engine: FaceEngine, portraits: Mapping[str, bytes]
) -> None:
    pool = InferencePool(workers=2, max_waiting=8)

    async def step_up() -> float:
        reference, probe = await asyncio.gather(
            pool.run(_whole_way, face_engine, portraits["obama_1"]),
            pool.run(_whole_way, face_engine, portraits["obama_2"]),
        )
        assert reference[0] != probe[0]
        return reference[1]

    assert asyncio.run(step_up()) > 80
    assert pool.counters().completed == 2
    pool.close()
