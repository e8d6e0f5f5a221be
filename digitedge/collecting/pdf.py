"""A PDF of one page with filled rectangles and text, drawn in millimetres from its upper left corner.

The few objects that such a file needs, as in ISO 32000-1, 7.5: no library of the base install writes PDF. The font is
Helvetica, which every reader has.
"""

# Points, PDF's unit, in a millimetre.
_POINTS = 72 / 25.4
# Height of a capital in Helvetica, in font sizes.
_CAPITAL_HEIGHT = 0.718


class PdfPage:
    """Collects what is drawn on the page."""

    def __init__(self, size_mm: tuple[float, float]) -> None:
        self._width, self._height = (length * _POINTS for length in size_mm)
        self._drawing: list[str] = []

    def fill(self, x: float, y: float, width: float, height: float, *, grey: int) -> None:
        """Fill a rectangle, in millimetres; grey from 0 to 255."""
        corner = f"{x * _POINTS:.3f} {self._height - (y + height) * _POINTS:.3f}"
        self._drawing.append(f"{grey / 255:.3f} g {corner} {width * _POINTS:.3f} {height * _POINTS:.3f} re f")

    def write(self, text: str, x: float, y: float, *, height: float, grey: int) -> None:
        """Write a line of text that cp1252 can encode: left end of its baseline, height of its capitals."""
        size = height * _POINTS / _CAPITAL_HEIGHT
        place = f"{x * _POINTS:.3f} {self._height - y * _POINTS:.3f}"
        codes = text.encode("cp1252").hex()
        self._drawing.append(f"{grey / 255:.3f} g BT /F {size:.2f} Tf {place} Td <{codes}> Tj ET")

    def to_bytes(self, *, title: str) -> bytes:
        """Return the file; the title is ASCII without brackets."""
        drawing = "\n".join(self._drawing).encode("ascii")
        objects = [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {self._width:.3f} {self._height:.3f}] /Contents 4 0 R "
            "/Resources << /Font << /F 5 0 R >> >> >>".encode("ascii"),
            f"<< /Length {len(drawing)} >>\nstream\n".encode("ascii") + drawing + b"\nendstream",
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            f"<< /Title ({title}) >>".encode("ascii"),
        ]
        content = bytearray(b"%PDF-1.4\n")
        offsets = []
        for number, body in enumerate(objects, start=1):
            offsets.append(len(content))
            content += f"{number} 0 obj\n".encode("ascii") + body + b"\nendobj\n"
        table = len(content)
        content += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode("ascii")
        content += b"".join(f"{offset:010} 00000 n \n".encode("ascii") for offset in offsets)
        trailer = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 6 0 R >>\nstartxref\n{table}\n%%EOF\n"
        return bytes(content + trailer.encode("ascii"))
