"""What a running process holds, and the scope every repository works in."""
