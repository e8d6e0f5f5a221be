"""The live page: what the camera sees and what it says, in any browser of the network, for as many as look.

In: updates of the loop in `digitedge.camera.run`, of which a `WebPage` is an output.
Out: a page, its images and events, and the same for programs (JSON, server-sent events, MJPEG).

    from digitedge import Reader
    from digitedge.camera import open_source, run
    from digitedge.web import WebPage, parse_address

    reader = Reader()
    with WebPage(parse_address("0.0.0.0:8000"), reader) as page:
        print(page.url)
        run(open_source("0"), reader, [page])

The loop's thread hands each update to an event loop in a thread of its own (`webpage`, `server`), and is done with it:
nothing that a viewer does can hold up a frame. There `hub` knows what is new, `images` encodes a frame once for all
viewers (in a worker thread, and only when somebody looks), `steps` and `drawn` do what is asked for, `streams` writes
to each viewer as fast as that one reads, and `app` has the routes. Who may ask is decided by `access`; how long, how
much and how many by `connection`.

Frames are what a camera sees, so nothing beyond this machine is served without a token, and nothing is stored.
"""

from digitedge.web.address import Address, parse_address
from digitedge.web.sink import WebPage

__all__ = ["Address", "WebPage", "parse_address"]
