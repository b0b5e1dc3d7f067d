"""The capture API: how a page or a native app shows a face to a session."""
