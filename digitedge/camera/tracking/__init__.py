"""Digits and rows followed over time."""
