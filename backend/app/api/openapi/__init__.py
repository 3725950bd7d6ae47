"""The OpenAPI document and the pages that show it: from the code, with prose and examples beside.

``prose/`` holds one Markdown file for each tag: what it is about, then a section for each of its
operations.
``examples/`` holds what a real run sent and got (``make examples`` writes it).
"""

from app.api.openapi.document import build_openapi, operation_id
from app.api.openapi.pages import add_docs

__all__ = ["add_docs", "build_openapi", "operation_id"]
