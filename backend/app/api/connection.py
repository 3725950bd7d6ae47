"""How a connection is read: what comes before a body may not grow without end.

The parser keeps a head until it is complete, and sets no bound to it: 200 MiB of headers brought
the process to 1.4 GiB, which stays, and one long header took its whole time. Nothing of ours is
asked before the head has ended, so the bound stands here. Behind nginx there is another one.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# Many times what a browser sends. What arrived in one piece with the rest (256 KiB) is let through.
MAX_HEAD_BYTES = 64 * 1024
_TOO_LARGE = b"The head of the request is too large."
_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%s" % (len(_TOO_LARGE), _TOO_LARGE)
)


class BoundedHead(HttpToolsProtocol):
    """Hangs up on a head, or on what follows a chunked body, that goes on and on."""

    _is_open = False  # between the first byte of a request and its last
    _bytes_without_body = 0

    def data_received(self, data: bytes) -> None:
        self._bytes_without_body += len(data)
        super().data_received(data)
        if not self._is_open:
            self._bytes_without_body = 0
        elif self._bytes_without_body > MAX_HEAD_BYTES and not self.transport.is_closing():
            self.logger.warning("the head of a request is too large")
            self.transport.write(_ANSWER)
            self.transport.close()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_open = True

    def on_body(self, body: bytes) -> None:
        self._bytes_without_body = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_open = False
        super().on_message_complete()
