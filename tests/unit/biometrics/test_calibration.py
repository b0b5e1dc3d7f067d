"""The 0-100 scales rise with the evidence and mean what the documents say they mean."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipse.biometrics.calibration import LIVENESS, SIMILARITY, Curve, liveness_score, similarity_score


@given(st.floats(-1, 1), st.floats(-1, 1))
def test_a_more_similar_pair_never_scores_lower(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= similarity_score(low) <= similarity_score(high) <= 100


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_livelier_face_never_scores_lower(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert 0 <= liveness_score(low) <= liveness_score(high) <= 100


@pytest.mark.parametrize(("cosine", "score"), [(0.358, 30), (0.39, 40), (0.467, 60), (1.0, 100), (-1.0, 0), (0.6, 85)])
def test_similarity_thresholds_keep_their_documented_cosines(cosine: float, score: float) -> None:
    assert similarity_score(cosine) == score


@pytest.mark.parametrize(("probability", "score"), [(0.0, 0), (0.3, 50), (0.5, 70), (1.0, 100)])
def test_liveness_thresholds_keep_their_documented_probabilities(probability: float, score: float) -> None:
    assert liveness_score(probability) == score


@pytest.mark.parametrize("curve", [SIMILARITY, LIVENESS])
def test_every_published_operating_point_lies_on_its_curve(curve: Curve) -> None:
    for point in curve.operating_points:
        value = point.rates.get("cosine", point.rates.get("probability"))
        assert value is not None
        assert curve(value) == pytest.approx(point.score, abs=0.01)


@given(st.floats(0.5, 99.5))
def test_the_inverse_finds_the_input_of_a_score(score: float) -> None:
    assert SIMILARITY(SIMILARITY.inverse(score)) == pytest.approx(score, abs=0.01)


def test_scores_have_two_decimals() -> None:
    assert similarity_score(0.4123456) == round(similarity_score(0.4123456), 2)


def test_not_a_number_is_refused_instead_of_scored() -> None:
    with pytest.raises(ValueError, match="NaN"):
        similarity_score(math.nan)


@pytest.mark.parametrize("points", [((0.0, 1.0),), ((0.0, 5.0), (1.0, 4.0)), ((1.0, 0.0), (1.0, 5.0))])
def test_a_falling_or_empty_curve_cannot_be_built(points: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValueError, match="curve"):
        Curve(points=points, measured_on="", operating_points=())
