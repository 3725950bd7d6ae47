"""Dictionaries of other libraries: reading, writing, and proving that nothing changed.

``saelens_export`` is torch-free, so that the API can stream an export.
"""

from typing import TYPE_CHECKING

from app.ml.lazy import lazy_exports

if TYPE_CHECKING:
    from app.ml.interchange.exporting import check_export
    from app.ml.interchange.formats import read_foreign
    from app.ml.interchange.importing import import_sae
    from app.ml.interchange.parity import check_parity
    from app.ml.interchange.real_rows import rows_of_store, rows_of_text

__all__ = [
    "check_export",
    "check_parity",
    "import_sae",
    "read_foreign",
    "rows_of_store",
    "rows_of_text",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "check_export": "exporting",
        "check_parity": "parity",
        "import_sae": "importing",
        "read_foreign": "formats",
        "rows_of_store": "real_rows",
        "rows_of_text": "real_rows",
    },
)
