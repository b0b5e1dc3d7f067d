"""Speed of the face engine as ratios within one run, with the goals of the project beside them.

    python bench/faces_speed.py                 # the engine alone
    python bench/faces_speed.py --dlib          # also the face_recognition way of calling dlib, in a throw-away venv

A pair match takes two 1280 x 720 JPEG files to a 0-100 score: decode, detect, align, embed, compare. Its raw runtime
calls are two JPEG decodes and two runs each of the detection and recognition networks on ready tensors, measured alone.
All rounds are interleaved. The ratios of single calls are ratios of processor time, which a busy neighbour does not
stretch; wall time stands beside them. Throughput is given as seen and without the time spent waiting for neighbours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import platformdirs

from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import decode
from ipse.samples.portraits import portraits
from ipse.samples.scenes import selfie
from machine import description, resident_mib

CACHE = Path(platformdirs.user_cache_dir("ipse"))
DLIB_SCRIPT = """
import json, sys, time
import dlib, numpy, PIL.Image
import importlib.util, pathlib
models = pathlib.Path(importlib.util.find_spec("face_recognition_models").origin).parent / "models"
detector = dlib.get_frontal_face_detector()
points = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))
def encode(path):
    pixels = numpy.array(PIL.Image.open(path).convert("RGB"))
    faces = detector(pixels, 1)  # as face_recognition.face_locations
    return numpy.array(network.compute_face_descriptor(pixels, points(pixels, faces[0]), 1))
def pair(a, b):
    return float(numpy.linalg.norm(encode(a) - encode(b)))
pair(*sys.argv[1:3])
times = []
for _ in range(int(sys.argv[3])):
    started = time.thread_time()
    distance = pair(*sys.argv[1:3])
    times.append(time.thread_time() - started)
print(json.dumps({"seconds": times, "distance": distance}))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=CACHE / "models")
    parser.add_argument("--samples", type=Path, default=CACHE / "samples")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--dlib", action="store_true")
    options = parser.parse_args()
    files = portraits(options.samples)
    left, right = selfie("obama_1", files["obama_1"]), selfie("obama_3", files["obama_3"])

    before = resident_mib()
    started = time.perf_counter()
    engine = FaceEngine.load(options.models)
    loading = time.perf_counter() - started
    stored = engine.template(engine.scan(decode(right)))

    def pair() -> float:
        a, b = (engine.template(engine.scan(decode(data))) for data in (left, right))
        return engine.score(a, b)

    def against_stored() -> float:
        return engine.score(engine.template(engine.scan(decode(left))), stored)

    raw = _raw_calls(engine, (left, right))
    matching = _interleaved([pair, against_stored, raw], options.rounds)
    (pair_cpu, pair_wall), (stored_cpu, stored_wall), (raw_cpu, raw_wall) = matching
    burst = [engine.scan(decode(left))]
    extras = [lambda: engine.liveness(burst), lambda: engine.quality(burst[0]), lambda: engine.age(burst[0])]
    (liveness_cpu, _), (quality_cpu, _), (age_cpu, _) = _interleaved(extras, options.rounds)
    rates = _matches_per_second(options.models, options.samples, options.rounds)

    print(f"machine: {description()}")
    print(f"engine ready in {loading:.2f} s, liveness by {engine.liveness_engine}")
    print(f"resident memory: {before:.0f} MiB before, {resident_mib():.0f} MiB after loading and all calls")
    print("medians, processor time (wall time):")
    sizes = f"{len(left) // 1000} and {len(right) // 1000} kB"
    print(f"pair match of two 1280x720 JPEG, {sizes}: {pair_cpu:.1f} ms ({pair_wall:.1f})")
    print(f"  its raw runtime calls: {raw_cpu:.1f} ms ({raw_wall:.1f}); ratio {pair_cpu / raw_cpu:.3f} (goal <= 1.10)")
    print(f"against a stored template: {stored_cpu:.1f} ms ({stored_wall:.1f})")
    print(f"  ratio {stored_cpu / pair_cpu:.3f} of a pair (goal <= 0.6)")
    print(f"for a scanned frame: liveness {liveness_cpu:.1f} ms, quality {quality_cpu:.1f} ms, age {age_cpu:.1f} ms")
    for index, name in enumerate(("as seen", "without waiting for neighbours")):
        one, two = rates[1][index], rates[2][index]
        print(f"matches/s {name}: {one:.1f} on one core, {two:.1f} on two; ratio {two / one:.2f} (goal >= 1.8)")
    if options.dlib:
        print(_dlib_line(left, right, pair))


def _raw_calls(engine: FaceEngine, pictures: tuple[bytes, bytes]) -> Callable[[], None]:
    import io

    frame = np.zeros((1, 3, 384, 640), dtype=np.float32)
    chip = np.zeros((1, 3, 112, 112), dtype=np.float32)

    def run() -> None:
        for data in pictures:
            np.asarray(PIL.Image.open(io.BytesIO(data)))
            engine.detector.network.run(frame)
            engine.recogniser.run(chip)

    return run


def _interleaved(functions: Sequence[Callable[[], object]], rounds: int) -> list[tuple[float, float]]:
    """Median milliseconds of each function, processor and wall time; one call of every function per round."""
    processor: list[list[float]] = [[] for _ in functions]
    wall: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for index, function in enumerate(functions):
            started, used = time.perf_counter(), time.thread_time()
            function()
            processor[index].append(time.thread_time() - used)
            wall[index].append(time.perf_counter() - started)
    return [(1000 * statistics.median(p), 1000 * statistics.median(w)) for p, w in zip(processor, wall, strict=True)]


SHARE_SCRIPT = """
import os, sys, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from ipse.biometrics.engine import FaceEngine
from ipse.biometrics.images import decode
from ipse.samples.portraits import portraits
from ipse.samples.scenes import selfie
models, samples, cores, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
engine = FaceEngine.load(models)
files = portraits(samples)
left, right = selfie("obama_1", files["obama_1"]), selfie("obama_3", files["obama_3"])
def pair(_):
    a, b = (engine.template(engine.scan(decode(d))) for d in (left, right))
    return engine.score(a, b)
def waited():
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0
def share(_):
    pair(0)
    before, started = waited(), time.perf_counter()
    for i in range(rounds):
        pair(i)
    return time.perf_counter() - started, waited() - before
with ThreadPoolExecutor(cores) as pool:
    shares = list(pool.map(share, range(cores)))
print(sum(rounds / wall for wall, _ in shares), sum(rounds / (wall - wait) for wall, wait in shares))
"""


def _matches_per_second(models: Path, samples: Path, rounds: int) -> dict[int, tuple[float, float]]:
    """Pair matches per second by number of cores and threads: as seen, and without waiting for neighbours.

    The second number leaves out the time in which a thread was ready and the system ran someone else's (Linux keeps
    count); waiting for one another, for locks and for memory stays in. Medians of five interleaved runs.
    """
    runs: dict[int, list[tuple[float, float]]] = {1: [], 2: []}
    for _ in range(5):
        for cores, results in runs.items():
            command = [sys.executable, "-c", SHARE_SCRIPT, str(models), str(samples), str(cores), str(rounds)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seen, undisturbed = (float(number) for number in done.stdout.split())
            results.append((seen, undisturbed))
    return {
        cores: (statistics.median(r[0] for r in results), statistics.median(r[1] for r in results))
        for cores, results in runs.items()
    }


def _dlib_line(left: bytes, right: bytes, pair: Callable[[], float]) -> str:
    """The same two pictures through dlib as face_recognition calls it; needs the package registry."""
    with tempfile.TemporaryDirectory(prefix="ipse-dlib-") as folder:
        root = Path(folder)
        (root / "a.jpg").write_bytes(left)
        (root / "b.jpg").write_bytes(right)
        python = root / "venv" / "bin" / "python"
        packages = ["dlib-bin==20.0.1", "face-recognition-models==0.3.0", "pillow", "numpy"]
        steps = [
            [sys.executable, "-m", "venv", str(root / "venv")],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
            [str(python), "-c", DLIB_SCRIPT, str(root / "a.jpg"), str(root / "b.jpg"), "8"],
        ]
        try:
            for step in steps:
                done = subprocess.run(step, capture_output=True, text=True, check=True)
        except subprocess.CalledProcessError as error:
            return f"dlib comparison not possible here: {error.stderr.strip().splitlines()[-1:]}"
    ((ours, _),) = _interleaved([pair], 20)
    theirs = 1000 * statistics.median(json.loads(done.stdout)["seconds"])
    ratio = theirs / ours
    return f"face_recognition's way of calling dlib: {theirs:.0f} ms, ours {ours:.1f} ms: {ratio:.1f} times (goal >= 5)"


if __name__ == "__main__":
    main()
