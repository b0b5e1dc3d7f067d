"""Where Ipse departs from the contract document on purpose, each with its reason. Unused entries fail the suite."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Deviation:
    """``operation`` is a key such as ``GET /v3/users/`` or a regular expression over keys; ``problem`` likewise."""

    operation: str
    problem: str
    reason: str

    def covers(self, operation: str, problem: str) -> bool:
        return bool(re.fullmatch(self.operation, operation) and re.search(self.problem, problem))


_DECISION = r"GET /v3/session/\{sessionId\}/decision/"

DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        _DECISION,
        r"^200: \$\.(registry_checks|key_people_checks|document_verifications) is missing$",
        "These belong to sessions about businesses, which replace the arrays about people (contract 10 section 7).",
    ),
    Deviation(
        _DECISION,
        r"\.video_url: None is not of type 'string'$",
        "No video is recorded; the notes allow null (contract 10 section 7).",
    ),
    Deviation(
        rf"{_DECISION}|GET /v3/sessions/",
        r"\.face_match(es\[0\])?\.source_image: None is not of type 'string'$",
        "A sandbox scenario compares no faces, so there is no reference picture to show.",
    ),
    Deviation(
        r"POST /v3/(face-match|passive-liveness|age-estimation)/",
        r"entities\[\]\.gender is missing$",
        "Sex is not estimated, and the contract does not allow null there (decision 0003).",
    ),
    Deviation(
        r"POST /v3/(passive-liveness|age-estimation)/",
        r"\.warnings\[\d\]\.risk: 'BASIC_REPLAY_SCREENING' is not one of",
        "Without the liveness networks the basic screening says so in a warning of its own (decision 0004).",
    ),
    Deviation(
        r"POST /v3/age-estimation/",
        r"\.warnings\[\d\]\.log_type: 'information' is not one of \['error'\]",
        "That warning informs; it must not decline anybody.",
    ),
    Deviation(
        _DECISION,
        r"\.liveness_checks\[0\]\.score: None is not of type 'number'$",
        "The basic screening has no calibrated score and none is made up; other answers of the contract allow null.",
    ),
    Deviation(
        r".* /v3/webhook/destinations/.*",
        r"subscribed_events\[\d\]: 'session\.(verified|review_started|declined)' is not one of",
        "The integration pages subscribe to these names; they are echoed as subscribed (contract 90 F1).",
    ),
)
