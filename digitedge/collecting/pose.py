"""Where the sheet is in a photograph: from the markers that are seen, of one sheet of the right version."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from digitedge.collecting.sheet import (
    BLOCK_MM,
    CELLS,
    MARKER_MM,
    MARKERS,
    SHEET_VERSION,
    Cell,
    marker_bits,
    marker_corners_mm,
    marker_dictionary,
    split_marker_id,
)
from digitedge.errors import DataError
from digitedge.utils.opencv import as_uint8, cv2, resize

# Longer sides in pixels at which markers are searched until all are found, and whether the image is sharpened: noise
# shrinks away in small images, small markers show in large ones, and blurred ones in sharpened ones.
_SEARCHES = ((1600, False), (900, False), (1600, True), (3200, False))
_SHARPENING, _SHARPENING_SIGMA = 1.5, 3.0
# White around the image, in pixels: a photograph may be cropped to the markers.
_BORDER_PX = 24
# Fewest markers of a sheet: with three, the corners of the cells between them are known to a millimetre.
MIN_MARKERS = 3
# Distance from its place at which a marker still is one of the same sheet, in millimetres: paper curls.
_MAX_CURL_MM = 8.0
# What is farther from its place than that, in millimetres, is of another sheet.
_OTHER_SHEET_MM = 30.0
# Resolution in pixels a millimetre at which a marker that was not found is compared with its image; how far from its
# place it may be, in millimetres; and the least correlation.
_TEMPLATE_PX_PER_MM = 4
_TEMPLATE_REACH_MM = 4.0
_MIN_CORRELATION = 0.7
# Fewest markers with which the curl of the paper is estimated, and its penalty: in squared pixels of a corner, for
# coefficients of polynomials over coordinates from -1 to 1.
_MIN_CURL_MARKERS = 8
_CURL_PENALTY = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class FoundMarkers:
    """The markers in a photograph.

    Attributes:
        corners: version and number of the marker -> its corners in pixels of the photograph, float64 (4, 2), for each
            place where it is seen.
    """

    corners: dict[tuple[int, int], list[NDArray[np.float64]]]

    def of_version(self, version: int) -> list[tuple[int, NDArray[np.float64]]]:
        """Return number and corners of all markers of a version of the sheet."""
        return [(key[1], place) for key, places in self.corners.items() if key[0] == version for place in places]


@dataclass(frozen=True, slots=True, eq=False)
class SheetPose:
    """Where the sheet is in a photograph.

    Attributes:
        homography: float64 (3, 3), from millimetres of the block to pixels of the photograph.
        curl: float64 (10, 2), weights of polynomials of third degree: what is added to these pixels.
        markers: numbers of the markers that were seen.
        size: width and height of the photograph.
    """

    homography: NDArray[np.float64]
    curl: NDArray[np.float64] = field(repr=False)
    markers: frozenset[int]
    size: tuple[int, int]

    def to_pixels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project points (P, 2) of the block, in millimetres, to pixels of the photograph."""
        flat = cv2.perspectiveTransform(points.reshape(-1, 1, 2), self.homography).reshape(-1, 2)
        return np.asarray(flat + _polynomials(points) @ self.curl, np.float64)

    def pixels_per_mm(self) -> float:
        """Return the resolution of the photograph at the middle of the block."""
        middle = np.array(BLOCK_MM) / 2
        x, y = self.to_pixels(middle + np.array([[0, 0], [1, 0], [0, 1]]))[1:] - self.to_pixels(middle[None])
        return float(np.sqrt(abs(x[0] * y[1] - x[1] * y[0])))

    def cells_in_photo(self) -> list[Cell]:
        """Return the cells whose corners are in the photograph."""
        corners = np.concatenate([cell.corners_mm for cell in CELLS])
        pixels = self.to_pixels(corners).reshape(-1, 4, 2)
        outside = ((pixels < 0) | (pixels > np.array(self.size) - 1)).any(axis=(1, 2))
        return [CELLS[number] for number in np.flatnonzero(~outside)]

    def is_between_markers(self, cell: Cell) -> bool:
        """Tell whether a cell is surrounded by markers that were seen: there its place is sure.

        A marker between two seen ones counts as seen: a thumb on it hides no cell.
        """
        numbers = range(MARKERS)
        beside = {number: {(number - 1) % MARKERS, (number + 1) % MARKERS} for number in numbers}
        seen = [number for number in numbers if number in self.markers or beside[number] <= self.markers]
        hull = np.asarray(cv2.convexHull(marker_corners_mm()[seen].reshape(-1, 2).astype(np.float32)), np.float32)
        return all(cv2.pointPolygonTest(hull, corner, False) >= 0 for corner in cell.corners_mm.tolist())


def find_markers(grey: NDArray[np.uint8]) -> FoundMarkers:
    """Find the markers of sheets of all versions in a photograph, uint8 (H, W)."""
    found: dict[tuple[int, int], list[NDArray[np.float64]]] = {}
    for side, is_sharpened in _SEARCHES:
        scale = min(1.0, side / max(grey.shape))
        for marker, corners in _detect(grey, scale, is_sharpened=is_sharpened):
            places = found.setdefault(split_marker_id(marker), [])
            if all(np.linalg.norm(corners.mean(0) - one.mean(0)) > np.ptp(corners, 0).max() / 2 for one in places):
                places.append(corners)
        if sum(key[0] == SHEET_VERSION for key in found) == MARKERS:
            break
    return FoundMarkers(found)


def _detect(grey: NDArray[np.uint8], scale: float, *, is_sharpened: bool) -> list[tuple[int, NDArray[np.float64]]]:
    """Detect markers in a copy of an image at a scale."""
    height, width = grey.shape
    small = grey if scale == 1 else resize(grey, (round(width * scale), round(height * scale)), cv2.INTER_AREA)
    if is_sharpened:
        blurred = cv2.GaussianBlur(small, (0, 0), _SHARPENING_SIGMA)
        small = as_uint8(cv2.addWeighted(small, 1 + _SHARPENING, blurred, -_SHARPENING, 0))
    pad = _BORDER_PX
    padded = as_uint8(cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=255))
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    parameters.adaptiveThreshWinSizeMax = 43
    parameters.minMarkerPerimeterRate = 0.02
    corners, ids, _ = cv2.aruco.ArucoDetector(marker_dictionary(), parameters).detectMarkers(padded)
    if ids is None:
        return []
    # The centre of a pixel stays the centre of its copy.
    places = [(one.reshape(4, 2).astype(np.float64) - pad + 0.5) / scale - 0.5 for one in corners]
    return list(zip(map(int, np.ravel(ids)), places, strict=True))


def locate_sheet(grey: NDArray[np.uint8]) -> SheetPose:
    """Find the sheet in a photograph.

    Args:
        grey: uint8 (H, W), of any size and in any orientation.

    Raises:
        DataError: no sheet, too little of one, two of them, or one of another version.
    """
    found = find_markers(grey)
    markers = found.of_version(SHEET_VERSION)
    _check_version(found, len(markers))
    if len(markers) < MIN_MARKERS:
        what = f"{len(markers)} of its {MARKERS} markers" if markers else "none of its markers"
        raise DataError(
            f"expected a digit sheet, found {what}. Photograph the whole sheet, sharp and from above; "
            "`digitedge collect sheet` prints one."
        )
    homography = _fit_most(markers)
    distances = [_distance_mm(homography, number, corners) for number, corners in markers]
    own = [one for one, distance in zip(markers, distances, strict=True) if distance <= _MAX_CURL_MM]
    others = sum(distance > _OTHER_SHEET_MM for distance in distances)
    if others > 1:
        raise DataError(
            f"expected one digit sheet, found markers of two ({len(own)} and {others}). "
            "Photograph each sheet by itself."
        )
    if len({number for number, _ in own}) < MIN_MARKERS:
        raise DataError(
            f"expected a flat digit sheet, found {len(markers)} markers that do not lie in one plane. "
            "Flatten the paper and photograph it again."
        )
    return _fit_pose([*own, *_find_missing(grey, homography, own)], (grey.shape[1], grey.shape[0]))


def _check_version(found: FoundMarkers, own: int) -> None:
    counts = {version: len(found.of_version(version)) for version, _ in found.corners}
    other = max((version for version in counts if version != SHEET_VERSION), key=lambda v: counts[v], default=None)
    if other is not None and counts[other] >= MIN_MARKERS and counts[other] > own:
        raise DataError(
            f"expected a digit sheet of version {SHEET_VERSION}, found one of version {other}. Print a new sheet with "
            "`digitedge collect sheet`, or use the digitedge that printed this one."
        )


def _fit_most(markers: list[tuple[int, NDArray[np.float64]]]) -> NDArray[np.float64]:
    """Fit the homography, millimetres to pixels, that suits most markers, in the photograph of two sheets, too."""
    pixels = np.concatenate([corners for _, corners in markers])
    millimetres = np.concatenate([marker_corners_mm()[number] for number, _ in markers])
    to_mm, _ = cv2.findHomography(pixels, millimetres, cv2.RANSAC, _MAX_CURL_MM, maxIters=5000, confidence=0.9999)
    if to_mm is None or abs(np.linalg.det(to_mm)) < 1e-12:
        raise DataError("expected a flat digit sheet, found markers that do not lie in one plane. Flatten the paper.")
    return np.asarray(np.linalg.inv(to_mm), np.float64)


def _find_missing(
    grey: NDArray[np.uint8], homography: NDArray[np.float64], found: list[tuple[int, NDArray[np.float64]]]
) -> list[tuple[int, NDArray[np.float64]]]:
    """Find the markers whose bits cannot be read, as in blur, where they should be: by how they look."""
    missing = sorted(set(range(MARKERS)) - {number for number, _ in found})
    scale = _TEMPLATE_PX_PER_MM
    side = round((MARKER_MM + 2 * _TEMPLATE_REACH_MM) * scale)
    size = round(MARKER_MM * scale)
    completed: list[tuple[int, NDArray[np.float64]]] = []
    for number in missing:
        corner = marker_corners_mm()[number, 0] - _TEMPLATE_REACH_MM
        to_pixels = homography @ np.array([[1 / scale, 0, corner[0]], [0, 1 / scale, corner[1]], [0, 0, 1]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        around = as_uint8(cv2.warpPerspective(grey, to_pixels, (side, side), flags=flags, borderValue=255))
        template = resize(marker_bits(number).view(np.uint8) * np.uint8(255), (size, size), cv2.INTER_AREA)
        correlation = cv2.matchTemplate(around, as_uint8(cv2.GaussianBlur(template, (0, 0), 2)), cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(correlation)
        if best >= _MIN_CORRELATION:
            corners = np.array([[x, y], [x + size, y], [x + size, y + size], [x, y + size]], np.float64) - 0.5
            places = cv2.perspectiveTransform(corners[:, None], to_pixels)[:, 0]
            completed.append((number, np.asarray(places, np.float64)))
    return completed


def _distance_mm(homography: NDArray[np.float64], number: int, corners: NDArray[np.float64]) -> float:
    """Distance in millimetres from where a marker is seen to its place."""
    seen = cv2.perspectiveTransform(corners.reshape(-1, 1, 2), np.linalg.inv(homography)).reshape(-1, 2)
    return float(np.linalg.norm(seen - marker_corners_mm()[number], axis=1).max())


def _fit_pose(markers: list[tuple[int, NDArray[np.float64]]], size: tuple[int, int]) -> SheetPose:
    pixels = np.concatenate([corners for _, corners in markers])
    millimetres = np.concatenate([marker_corners_mm()[number] for number, _ in markers])
    homography = np.asarray(cv2.findHomography(millimetres, pixels)[0], np.float64)
    numbers = frozenset(number for number, _ in markers)
    flat = SheetPose(homography, np.zeros((10, 2)), numbers, size)
    if len(numbers) < _MIN_CURL_MARKERS:
        return flat
    terms = _polynomials(millimetres)
    missing = pixels - flat.to_pixels(millimetres)
    curl = np.asarray(np.linalg.solve(terms.T @ terms + _CURL_PENALTY * np.eye(10), terms.T @ missing), np.float64)
    return SheetPose(homography, curl, numbers, size)


def _polynomials(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Polynomials of third degree at points (P, 2) in millimetres: (P, 10)."""
    x, y = (2 * points / BLOCK_MM - 1).T
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3], axis=1)
