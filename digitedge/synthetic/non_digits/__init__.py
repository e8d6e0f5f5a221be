"""Crops of what is no digit: doodles, blots, pieces of writing, characters of no script, and all of them mixed."""
