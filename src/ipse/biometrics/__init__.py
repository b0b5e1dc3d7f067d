"""Face numerics: image bytes -> faces -> quality -> liveness -> template -> score.

This room imports nothing of Ipse and does no input or output beyond reading its own model and data files. Start with
``engine.FaceEngine``; obtain its models with ``acquisition.obtain``.
"""
