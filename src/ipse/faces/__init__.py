"""Stored faces: the reference a person is compared with, and the gallery that 1:N search looks through."""
