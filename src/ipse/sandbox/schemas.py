"""What the sandbox tells about itself."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ScenarioItem(BaseModel):
    """One scenario of the catalogue."""

    slug: str
    category: Literal["success", "decline", "review"]
    description: str


class ScenarioCatalogue(BaseModel):
    """Every outcome that a sandbox session can be asked for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scenarios": [
                        {
                            "slug": "approve",
                            "category": "success",
                            "description": "Everything the workflow checks is approved.",
                        }
                    ],
                    "default": "approve",
                }
            ]
        }
    )

    scenarios: list[ScenarioItem]
    default: str = Field(description="The scenario of a session that asks for none.")
