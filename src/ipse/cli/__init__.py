"""The ``ipse`` command."""
