"""Secrets, seals and signatures: everything that must hold when someone tries to break it."""
