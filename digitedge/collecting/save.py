"""The digits of a sheet are added to a collection; another photograph of the same sheet adds only what is new."""

from dataclasses import replace
from pathlib import Path

from digitedge.collecting.known_sheets import KnownSheets
from digitedge.collecting.read import SheetReading
from digitedge.datasets.collection import CropRecord, add_crops


def save_digits(
    folder: str | Path, reading: SheetReading, *, writer: str, source: str, known: KnownSheets | None = None
) -> list[Path]:
    """Add the digits of a sheet to a collection; return the files that were added.

    Args:
        folder: of the collection; it is made if it is missing.
        reading: of the sheet.
        writer: id of the writer, or "".
        source: name of the photograph.
        known: the sheets of the collection, to which this one is added; None reads them.

    Raises:
        DataError: collection.json is damaged.
        DigitEdgeError: the folder cannot be written to.

    An empty cell that was filled in since the first photograph is new.
    """
    known = KnownSheets(folder) if known is None else known
    twin = known.find(reading, writer=writer)
    if twin is not None:
        new = [one for one in reading.digits if one.cell.name not in known.cells(twin)]
        reading = replace(reading, sheet=twin, digits=tuple(new))
    records = [
        CropRecord(
            writer=writer,
            sheet=reading.sheet,
            cell=one.cell.name,
            source=source,
            asked=one.cell.row,
            predicted=one.predicted,
            confidence=round(one.confidence, 4),
        )
        for one in reading.digits
    ]
    names = [f"{reading.sheet}-{one.cell.name}.png" for one in reading.digits]
    labels = [one.cell.row for one in reading.digits]
    added = add_crops(folder, [one.crop for one in reading.digits], labels, records, names)
    known.add(reading, source=source, writer=writer)
    return added
