"""Who changes nothing gets a page that everybody can read."""

from __future__ import annotations

import pytest

from ipse.branding.schemas import BrandingCustomizationUpdate

DEFAULTS = BrandingCustomizationUpdate()


def luminance(color: str) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2, definitions)."""
    channels = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("color_on_panel_1", "color_panel"),
        ("color_on_panel_2", "color_panel"),
        ("color_on_panel_1", "color_panel_10"),
        ("color_on_panel_2", "color_panel_10"),
        ("color_on_background", "color_background"),
        ("color_button_text_1", "color_button_1"),
        ("color_button_text_2", "color_button_2"),
        ("color_pill_text", "color_primary"),
        ("color_pill_text", "color_secondary"),
    ],
)
def test_every_text_of_the_defaults_stands_out(text: str, ground: str) -> None:
    assert contrast(getattr(DEFAULTS, text), getattr(DEFAULTS, ground)) >= 4.5
