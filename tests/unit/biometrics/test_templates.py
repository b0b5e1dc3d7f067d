"""Templates survive storage bit by bit, and templates of different networks are never compared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ipse.biometrics.errors import MalformedTemplate, ModelMismatch
from ipse.biometrics.templates import TEMPLATE_LENGTH, Template, cosine, normalised


def _template(seed: int, model: str = "sface-test") -> Template:
    return normalised(np.random.default_rng(seed).normal(size=TEMPLATE_LENGTH).astype(np.float32) * 7, model)


def test_bytes_and_back_are_the_same_bits() -> None:
    template = _template(1)
    back = Template.from_bytes(template.to_bytes())
    assert back.model_id == template.model_id
    assert np.array_equal(back.vector, template.vector)


def test_templates_have_unit_length_and_match_themselves() -> None:
    template = _template(2)
    assert np.linalg.norm(template.vector) == pytest.approx(1, abs=1e-6)
    assert cosine(template, template) == pytest.approx(1, abs=1e-6)
    assert cosine(template, Template(-template.vector, template.model_id)) == pytest.approx(-1, abs=1e-6)


def test_templates_of_two_networks_are_not_compared() -> None:
    with pytest.raises(ModelMismatch):
        cosine(_template(1, "a"), _template(1, "b"))


@given(st.binary(max_size=700))
def test_other_bytes_are_refused(data: bytes) -> None:
    for candidate in (data, b"IFT1" + data, b"IFT1\x00" + data[:512].ljust(512, b"\x00")):
        with pytest.raises(MalformedTemplate):
            Template.from_bytes(candidate)


@pytest.mark.parametrize("value", [np.nan, np.inf, 5.0, 0.0])
def test_vectors_that_no_face_gives_are_refused(value: float) -> None:
    vector = _template(3).vector.copy()
    vector[:] = value
    with pytest.raises(MalformedTemplate):
        Template.from_bytes(Template(vector, "m").to_bytes())


@pytest.mark.parametrize("cut", [1, 4, 512])
def test_a_cut_template_is_refused(cut: int) -> None:
    with pytest.raises(MalformedTemplate):
        Template.from_bytes(_template(4).to_bytes()[:-cut])


@pytest.mark.parametrize("vector", [np.zeros(TEMPLATE_LENGTH), np.full(TEMPLATE_LENGTH, np.nan)])
def test_a_dead_network_output_is_no_template(vector: NDArray[np.float64]) -> None:
    with pytest.raises(MalformedTemplate):
        normalised(vector.astype(np.float32), "m")
