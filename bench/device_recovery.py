"""How often a device is recognised after its storage was cleared, and how often a stranger's is taken for it.

    python bench/device_recovery.py                 # 5000 devices, 4000 trials of each kind, about a minute
    python bench/device_recovery.py --devices 500

The population is synthetic and its shares are assumptions, stated below: 30 % iPhones, 30 % Android phones and 40 %
desktops; models, graphics and screens by Zipf's law; two thirds of one country. Phones of one model differ in language,
time zone and settings only, which is what makes recovery hard. It shows that the formula of
``ipse.intelligence.device_recovery`` keeps its promise on such a population. It measures no real one.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from ipse.intelligence.device_components import fingerprint_of
from ipse.intelligence.device_recovery import CERTAIN, Resemblance, resemblance
from machine import description

Components = Mapping[str, str]

_COUNTRIES = (
    ("Europe/Berlin", "de-DE,de,en"),
    ("Europe/Vienna", "de-AT,de,en"),
    ("Europe/Madrid", "es-ES,es"),
    ("Europe/Istanbul", "tr-TR,tr,en"),
    ("Europe/London", "en-GB,en"),
)
_COUNTRY_WEIGHTS = (66, 10, 8, 8, 8)


@dataclass
class Tally:
    """Outcomes of one kind of trial on one system."""

    trials: int = 0
    certain: int = 0
    reasons: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, found: Resemblance | None) -> None:
        """Count one trial."""
        self.trials += 1
        if found is None:
            self.reasons["nothing alike"] += 1
        elif found.gate_reason is None:
            self.certain += 1
        else:
            self.reasons[found.gate_reason] += 1

    def line(self, name: str) -> str:
        """One line of the report."""
        low, high = _wilson(self.certain, self.trials)
        share = 100 * self.certain / max(1, self.trials)
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items()))
        return (
            f"{name:34} {self.certain:5} of {self.trials:5} certain {share:6.2f} % "
            f"(95 %: {100 * low:.2f}-{100 * high:.2f})  {reasons}"
        )


def main() -> int:
    """Run the trials; 0 when strangers are taken for the person's device in at most 1 - CERTAIN of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=5000)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    known = [draw(dice) for _ in range(options.devices)]
    twins: dict[str | None, list[Components]] = defaultdict(list)
    for one in known:
        twins[fingerprint_of(one)].append(one)
    tallies: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for _ in range(options.trials):
        own, stranger = dice.choice(known), draw(dice)
        returned = drift(own, dice)
        tallies["own device, cleared", own["system"]].add(recover(returned, [own], twins, len(known)))
        tallies["stranger on the account", stranger["system"]].add(recover(stranger, [own], twins, len(known)))
        alone = {**returned}
        tallies["cleared, another account", own["system"]].add(recover(alone, [], twins, len(known)))
        tallies["new device, nobody's", stranger["system"]].add(recover(stranger, [], twins, len(known)))
    print(f"{description()}\n{options.devices} devices, synthetic; certain from confidence {CERTAIN}\n")
    for (kind, system), tally in sorted(tallies.items()):
        print(tally.line(f"{kind}, {system}"))
    wrong = [tally for (kind, _), tally in tallies.items() if kind.startswith(("stranger", "new"))]
    return 0 if all(tally.certain <= (1 - CERTAIN) * tally.trials for tally in wrong) else 1


def recover(
    seen: Components, own: Sequence[Components], twins: Mapping[str | None, Sequence[Components]], devices: int
) -> Resemblance | None:
    """What ``ipse.devices.identity.recover`` does, without a database."""
    fingerprint = fingerprint_of(seen)
    strangers = [one for one in twins.get(fingerprint, ()) if not any(one is mine for mine in own)][:20]
    compared = [resemblance(one, seen, others=1 + len(strangers)) for one in own]
    found = max((one for one in compared if one.similarity >= 0.6), key=lambda one: one.similarity, default=None)
    if found is not None or not strangers:
        return found
    return max((resemblance(one, seen, others=devices) for one in strangers), key=lambda one: one.similarity)


def draw(dice: random.Random) -> dict[str, str]:
    """A random device."""
    kind = dice.choices(("iOS", "Android", "Windows"), (30, 30, 40))[0]
    zone, languages = dice.choices(_COUNTRIES, _COUNTRY_WEIGHTS)[0]
    settings = {
        "time_zone": zone,
        "languages": languages,
        "locale": languages.split(",")[0],
        "system": kind,
        "colour_scheme": dice.choice(("light", "dark")),
        "reduced_motion": str(dice.random() < 0.05).lower(),
        "contrast": "no-preference",
    }
    match kind:
        case "iOS":
            return {**settings, **_of_model("iphone", _zipf(dice, 30), browser="Mobile Safari"), "platform": "iPhone"}
        case "Android":
            model = _zipf(dice, 300)
            named = {"model": f"SM-{model}"} if dice.random() < 0.5 else {}
            return {**settings, **_of_model("android", model, browser="Chrome Mobile"), **named, "platform": "Linux"}
        case _:
            return {**settings, **_desktop(dice)}


def drift(device: Components, dice: random.Random) -> dict[str, str]:
    """The same device some weeks later: an update of the browser, a journey, another setting, each now and then."""
    now = dict(device)
    for name, chance in (("canvas", 0.05), ("fonts", 0.03), ("webgl_extensions", 0.05), ("plugins", 0.01)):
        if name in now and dice.random() < chance:
            now[name] = _digest(now[name], "next")
    if dice.random() < 0.03:
        now["time_zone"] = "America/New_York"
    if dice.random() < 0.01:
        now["languages"] = "en-US,en"
    if dice.random() < 0.1:
        now["colour_scheme"] = "dark" if now["colour_scheme"] == "light" else "light"
    return now


def _of_model(kind: str, model: int, *, browser: str) -> dict[str, str]:
    """A phone: everything about the hardware follows from the model, which shares its chip with two others."""
    chip = f"{kind}{model // 3}"
    return {
        "browser": browser,
        "canvas": _digest(chip, "canvas"),
        "webgl": chip if kind == "android" else "Apple GPU",
        "webgl_extensions": _digest(chip, "extensions"),
        "audio": _digest(chip, "audio"),
        "fonts": _digest(kind, str(model % 4)),
        "font_preferences": _digest(kind, "preferences"),
        "math": _digest(kind, "math"),
        "screen": f"{360 + model % 9}x{780 + model % 11}",
        "pixel_ratio": str(2 + model % 3),
        "cores": "6" if kind == "iphone" else "8",
        "touch_points": "5",
        "colour_depth": "24",
        "vendor": "Apple Computer, Inc." if kind == "iphone" else "Google Inc.",
        **({} if kind == "iphone" else {"memory": str((4, 8)[model % 2])}),
    }


def _desktop(dice: random.Random) -> dict[str, str]:
    graphics, browser = _zipf(dice, 80), dice.choices(("Chrome", "Edge", "Firefox"), (65, 20, 15))[0]
    return {
        "browser": browser,
        "platform": "Win32",
        "canvas": _digest(str(graphics // 2), browser),
        "webgl": f"ANGLE {graphics}",
        "webgl_extensions": _digest(str(graphics // 4), browser),
        "audio": _digest(browser, "audio"),
        "fonts": _digest("windows", str(_zipf(dice, 40))),
        "font_preferences": _digest("windows", str(_zipf(dice, 5))),
        "math": _digest(browser, "math"),
        "plugins": _digest(browser, "plugins"),
        "screen": f"{1080 + _zipf(dice, 12)}x1920",
        "pixel_ratio": dice.choices(("1", "1.25", "1.5", "2"), (60, 25, 10, 5))[0],
        "cores": dice.choices(("4", "8", "12", "16", "24"), (20, 40, 20, 15, 5))[0],
        "memory": dice.choices(("4", "8"), (15, 85))[0],
        "architecture": "x86",
        "touch_points": dice.choices(("0", "10"), (85, 15))[0],
        "colour_depth": "24",
        "vendor": "" if browser == "Firefox" else "Google Inc.",
    }


def _zipf(dice: random.Random, count: int) -> int:
    return dice.choices(range(count), [1 / (rank + 1) for rank in range(count)])[0]


def _digest(*parts: str) -> str:
    return sha256("|".join(parts).encode()).hexdigest()[:16]


def _wilson(count: int, total: int, z: float = 1.96) -> tuple[float, float]:
    if total == 0:
        return 0.0, 1.0
    share = count / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = z * ((share * (1 - share) + z * z / (4 * total)) / total) ** 0.5 / (1 + z * z / total)
    return max(0.0, middle - spread), min(1.0, middle + spread)


if __name__ == "__main__":
    sys.exit(main())
