"""Portraits in base64, and which workflows need a reference."""

from __future__ import annotations

import base64

import pytest

from ipse.decision.features import Feature
from ipse.decision.graph import FeatureNode, Outcome, StatusNode, WorkflowGraph
from ipse.edge.errors import FieldErrors
from ipse.sessions.reference import MAX_PORTRAIT_BYTES, compares_with_reference, decode_base64

CONTENT = b"\xff\xd8\xff" + bytes(range(256))


def graph(*features: Feature) -> WorkflowGraph:
    nodes: dict[str, FeatureNode | StatusNode] = {}
    for index, feature in enumerate(features):
        following = f"n{index + 1}" if index + 1 < len(features) else "end"
        nodes[f"n{index}"] = FeatureNode(f"n{index}", feature, next=following)
    nodes["end"] = StatusNode("end", Outcome.DETERMINE)
    return WorkflowGraph("n0", nodes)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(CONTENT).decode(),
        "data:image/jpeg;base64," + base64.b64encode(CONTENT).decode(),
        base64.encodebytes(CONTENT).decode(),
    ],
)
def test_base64_is_read_with_prefix_and_line_breaks(text: str) -> None:
    assert decode_base64(text) == CONTENT


@pytest.mark.parametrize("text", ["", "%%%", "abc", "data:image/png,rawdata", "é" * 8, "data:;base64,"])
def test_junk_is_refused_by_name(text: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        decode_base64(text)
    assert list(refused.value.body) == ["portrait_image"]


def test_oversized_text_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(FieldErrors, match="2 MB"):
        decode_base64("A" * (MAX_PORTRAIT_BYTES * 2))


def test_face_match_needs_a_reference_unless_a_document_precedes_it() -> None:
    assert compares_with_reference(graph(Feature.LIVENESS, Feature.FACE_MATCH))
    assert not compares_with_reference(graph(Feature.OCR, Feature.LIVENESS, Feature.FACE_MATCH))
    assert not compares_with_reference(graph(Feature.LIVENESS))
