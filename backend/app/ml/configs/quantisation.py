"""Number formats that a language model's weights can be loaded in."""

QUANTISATIONS = ("FP32", "FP16", "Q8", "Q4")
"""FP32 and FP16 name the files too; Q8 and Q4 are 16-bit files that are quantised at loading."""
