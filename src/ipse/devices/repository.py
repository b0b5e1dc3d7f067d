"""Queries of ``ipse.devices``."""
