"""Subjects: the people an integrator knows by ``vendor_data`` (contract 60, section 1)."""
