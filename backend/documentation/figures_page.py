"""The page of figures: what each measured number means, as it stands beside it in the product."""

from app.ml.configs.definitions import METRIC_DEFINITIONS
from app.ml.configs.verdicts import VERDICT_GUIDES
from documentation.markdown import code, page, table

INTRODUCTION = """
Every figure that the page or the API shows carries this definition. Formulas, and what to make of
them: [quality of a dictionary](../concepts/quality.md),
[scores of a feature](../concepts/scores.md), [steering](../concepts/steering.md).
"""
VERDICTS = """
Rules of thumb, from published figures of small models at an L0 of about 32. Figures fall with the
depth of the layer and the width of the model, so they are a guide and no test.
"""


def figures_page() -> str:
    figures = table(
        ("figure", "definition"), [[code(name), text] for name, text in METRIC_DEFINITIONS.items()]
    )
    verdicts = table(
        ("figure", "verdict"), [[code(name), it.text()] for name, it in VERDICT_GUIDES.items()]
    )
    return page("Figures", INTRODUCTION, figures, "## Verdicts", VERDICTS, verdicts)
