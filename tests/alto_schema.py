"""What the schema of ALTO 4 allows of the elements that digitedge writes. No package carries the schema itself."""

import re
from typing import NamedTuple
from xml.etree.ElementTree import Element

NAMESPACE = "{http://www.loc.gov/standards/alto/ns-v4#}"
LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"
PLACE = ("HPOS", "VPOS", "WIDTH", "HEIGHT")
CONFIDENCES = ("WC", "GC")
QUALITIES = ("OK", "Missing", "Missing in original", "Damaged", "Retained", "Target", "As in original")


class Allowed(NamedTuple):
    """Attributes that an element must and may have, and its children, a regular expression of their names."""

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    children: str = ""


BLOCKS = "((TextBlock|ComposedBlock) )*"
ELEMENTS = {
    "alto": Allowed((), ("SCHEMAVERSION", LOCATION), "(Description )?(Layout )"),
    "Description": Allowed((), (), "MeasurementUnit (sourceImageInformation )?(Processing )*"),
    "MeasurementUnit": Allowed(),
    "sourceImageInformation": Allowed((), (), "(fileName )?"),
    "fileName": Allowed(),
    "Processing": Allowed(("ID",), (), "(processingCategory )?(processingSoftware )?"),
    "processingCategory": Allowed(),
    "processingSoftware": Allowed((), (), "(softwareName )?(softwareVersion )?"),
    "softwareName": Allowed(),
    "softwareVersion": Allowed(),
    "Layout": Allowed((), (), "(Page )+"),
    "Page": Allowed(("ID", "PHYSICAL_IMG_NR"), ("WIDTH", "HEIGHT", "QUALITY", "QUALITY_DETAIL"), "(PrintSpace )?"),
    "PrintSpace": Allowed((), PLACE, BLOCKS),
    "ComposedBlock": Allowed(("ID",), (*PLACE, "ROTATION", "TYPE"), BLOCKS),
    "TextBlock": Allowed(("ID",), (*PLACE, "ROTATION"), "(TextLine )*"),
    "TextLine": Allowed((), PLACE, "(String (SP )?)+"),
    "SP": Allowed((), PLACE),
    "String": Allowed(("CONTENT",), (*PLACE, "WC"), "(Glyph )*"),
    "Glyph": Allowed(("CONTENT",), (*PLACE, "GC")),
}


def find_violations(root: Element) -> list[str]:
    """Return what an ALTO file has that the schema does not allow."""
    found, ids = [], [element.attrib["ID"] for element in root.iter() if "ID" in element.attrib]
    found += [f"ID {name} is not unique" for name in set(ids) if ids.count(name) > 1]
    found += [f"ID {name} is no name" for name in ids if not re.fullmatch(r"[A-Za-z_][\w.-]*", name)]
    for element in root.iter():
        name = element.tag.removeprefix(NAMESPACE)
        allowed = ELEMENTS.get(name)
        if allowed is None or not element.tag.startswith(NAMESPACE):
            found.append(f"unknown element {element.tag}")
            continue
        given = set(element.attrib)
        found += [f"{name} without {one}" for one in allowed.required if one not in given]
        found += [f"{name} with {one}" for one in given - {*allowed.required, *allowed.optional}]
        children = "".join(child.tag.removeprefix(NAMESPACE) + " " for child in element)
        if not re.fullmatch(allowed.children, children):
            found.append(f"{name} with the children {children}")
        found += _wrong_values(name, element)
    return found


def _wrong_values(name: str, element: Element) -> list[str]:
    found = [f"{name} {one}={element.attrib[one]}" for one in PLACE if float(element.attrib.get(one, 0)) < 0]
    found += [
        f"{name} {one}={element.attrib[one]}" for one in CONFIDENCES if not 0 <= float(element.attrib.get(one, 0)) <= 1
    ]
    if element.attrib.get("QUALITY", "OK") not in QUALITIES:
        found.append(f"{name} QUALITY={element.attrib['QUALITY']}")
    if name == "Glyph" and len(element.attrib.get("CONTENT", "")) != 1:
        found.append("Glyph of another length than 1")
    return found
