"""Queries of ``ipse.step_up``."""
