"""A backup of database and blobs, and its way back."""
