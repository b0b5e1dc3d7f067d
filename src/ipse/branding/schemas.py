"""Bodies of `/v3/customization/` (contract 60, section 6). ``texts`` is ours."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from ipse.sessions.languages import LANGUAGES

MOST_TEXTS: Final = 200
"""Texts of one language; the page has fewer."""
LONGEST_TEXT: Final = 500


def _web_address(url: str) -> str:
    """Only what a link may safely lead to: `javascript:` and the like would run in the page."""
    try:
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        hostname = None
    if not hostname or parts.scheme not in {"http", "https"}:
        raise ValueError("Enter a valid URL that starts with https:// or http://.")
    return url


def _known_language(code: str) -> str:
    if code not in LANGUAGES:
        raise ValueError(f'"{code}" is not a language code of this API.')
    return code


Color = Annotated[
    str,
    StringConstraints(pattern="^#[0-9a-fA-F]{6}$", to_lower=True),
    Field(examples=["#1d4ed8"], description="`#rrggbb`"),
]
Radius = Annotated[int, Field(ge=0, le=64)]
FontFamily = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9 ,'\"_-]{1,200}$")]
FontWeight = Annotated[str, StringConstraints(pattern="^(normal|bold|[1-9]00)$")]
PublicName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
PolicyUrl = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2048), AfterValidator(_web_address)]
Language = Annotated[str, AfterValidator(_known_language)]
TextKey = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,79}$")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_TEXT)]
Texts = dict[Language, Annotated[dict[TextKey, Text], Field(max_length=MOST_TEXTS)]]


class _Choices(BaseModel):
    """What an application may choose, with what holds until it does.

    The default colours give at least 4.5:1 between every text and its ground (WCAG 2.2, 1.4.3; a test computes it).
    """

    color_primary: Color = "#1d4ed8"
    color_secondary: Color = "#334155"
    color_background: Color = "#f8fafc"
    color_panel: Color = "#ffffff"
    color_panel_10: Color = "#f1f5f9"
    color_on_panel_1: Color = "#0f172a"
    color_on_panel_2: Color = "#475569"
    color_on_background: Color = "#0f172a"
    color_button_1: Color = "#1d4ed8"
    color_button_2: Color = "#e2e8f0"
    color_button_text_1: Color = "#ffffff"
    color_button_text_2: Color = "#0f172a"
    color_pill_text: Color = "#ffffff"
    border_radius_panel: Radius = 16
    border_radius_buttons: Radius = 12
    font_family: FontFamily = "system-ui, sans-serif"
    font_weight: FontWeight = "400"
    app_public_name: PublicName | None = Field(None, description="null: the application's own name is shown.")
    privacy_policy_url: PolicyUrl | None = None
    skip_welcome_screen: bool = Field(
        False, description="Open with the camera's screen; what is authorised stays shown."
    )
    disable_login_with_didit: bool = Field(False, description="Kept as sent; there is no such login here.")
    hide_progress_bar: bool = False
    callback_seconds: int = Field(2, ge=0, le=60, description="How long the result is shown before the callback.")
    texts: Texts = Field(
        default={},
        description="Texts of your own: language, then key of web/capture/src/locales/en.json. Replaced as a whole.",
    )


class BrandingCustomization(_Choices):
    """How the hosted page looks, every key with its value."""

    font_url: str | None = Field(None, description="Always null: the page loads nothing from elsewhere.")
    logo_square: str | None
    logo_rectangular: str | None
    favicon: str | None


class BrandingCustomizationUpdate(_Choices):
    """``PATCH``: any subset. The ``delete_…`` keys remove an image and are never read back."""

    model_config = ConfigDict(extra="ignore")

    delete_logo_square: bool = False
    delete_logo_rectangular: bool = False
    delete_favicon: bool = False


COLORS: Final = tuple(name for name in _Choices.model_fields if name.startswith("color_"))
CHOICES: Final = frozenset(_Choices.model_fields)
