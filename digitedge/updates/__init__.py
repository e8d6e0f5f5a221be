"""Bundles for devices: published as static files by their maker, and installed by each device, through TUF.

The Update Framework signs which files are offered, with versions and expiry dates, so that a server or a network can
hold updates back for a while, and nothing else. See docs/guide/updates.md.
"""

from digitedge.errors import require

require("tuf", extra="trust")
