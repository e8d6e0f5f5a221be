"""Tracking. In: the reading of each frame. Out: digits by vote, stable rows and their events."""

from digitedge.camera.tracking.stable_rows import Change, RowEvent, RowTracker, StableRow
from digitedge.camera.tracking.tracker import DigitTracker, FrameClock

__all__ = ["Change", "DigitTracker", "FrameClock", "RowEvent", "RowTracker", "StableRow"]
