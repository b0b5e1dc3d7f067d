"""Ipse: a self-hosted identity service whose heart is the biometric step-up."""

__version__ = "0.1.0"
