"""Number formats that a language model's weights can be loaded in."""

QUANTISATIONS = ("FP32", "FP16", "Q8", "Q4", "Q2")
"""FP32 and FP16 name the files too; the others are 16-bit files that are quantised at loading."""
QUANTISED = ("Q8", "Q4", "Q2")
