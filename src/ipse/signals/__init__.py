"""From facts and reports to the named values of the signal catalogue (``ipse.decision.signal_catalogue``).

Pure: one module per source, each a function from what that source knows to ``{code: value}``. A value that is not
known is left out.
"""
