"""Small helpers, one idea a file."""
