"""Queries of ``ipse.lists``."""
