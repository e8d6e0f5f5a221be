"""The live page: camera image and readings in the browser, with an API for programs (JSON, SSE, MJPEG).

The page of `digitedge label`, in `digitedge.web.labelling`, has the same server.

In: updates of the loop in `digitedge.camera.run`, of which `WebSink` is a sink.
Out: the page, its images and events, for any number of viewers.

    from digitedge import Reader
    from digitedge.camera import open_source, run
    from digitedge.web import WebSink, parse_address

    reader = Reader()
    with WebSink(parse_address("0.0.0.0:8000"), reader) as page:
        print(page.url)
        run(open_source("0"), reader, [page])

`WebSink` passes each update to an event loop in its own thread and returns, so viewers never delay a frame. Beyond this
machine nothing is served without a token. Frames are not stored.
"""

from digitedge.web.address import Address, parse_address
from digitedge.web.sink import WebSink

__all__ = ["Address", "WebSink", "parse_address"]
