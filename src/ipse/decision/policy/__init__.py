"""The step-up policy: is a face needed for this action? Data in, an explained answer out (decision 0013)."""
