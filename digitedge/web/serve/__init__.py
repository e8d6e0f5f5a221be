"""`digitedge serve`: images and documents in over HTTP, readings out.

In: the body of a request, which worker processes decode and read; the process that serves decodes nothing.
Out: the JSON of `predict --json`. Limits of size, pages, pixels, time and memory hold for every request.

    from digitedge.web import Address
    from digitedge.web.serve import ReadingServer, UploadReader

    with ReadingServer(Address(8000), UploadReader(spec), log=print) as server:
        server.wait()
"""

from digitedge.web.serve.limits import ServeLimits
from digitedge.web.serve.read_upload import UploadReader
from digitedge.web.serve.server import ReadingServer

__all__ = ["ReadingServer", "ServeLimits", "UploadReader"]
