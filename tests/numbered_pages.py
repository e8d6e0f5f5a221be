"""Small pages on the disk that say their numbers."""

from pathlib import Path

from drawn_page import DrawnPage

from digitedge.utils.images import write_image


def write_pages(folder: Path, count: int, *, first: int = 0) -> list[Path]:
    """Write pages that say their numbers, page-0.png and so on."""
    paths = [folder / f"page-{number}.png" for number in range(first, first + count)]
    for number, path in enumerate(paths, first):
        write_image(path, DrawnPage(220, 90).write(f"{number:02d}", (30, 65), 40).grey)
    return paths
