"""The calls, good and bad, by which each answered operation is judged: one module for each part of the contract."""

from tests.contract.calls import branding, sessions, standalone, system, users, webhooks, workflows
from tests.contract.world import EXERCISES

__all__ = ["EXERCISES", "branding", "sessions", "standalone", "system", "users", "webhooks", "workflows"]
