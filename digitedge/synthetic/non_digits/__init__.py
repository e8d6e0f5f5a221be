"""A kind of non-digit in, its ink or crop out: letters, doodles, blots, fragments, and characters of no script."""
