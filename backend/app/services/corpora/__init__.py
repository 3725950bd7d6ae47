"""Readers of text: files, folders, hub data sets and the documentation of installed packages.

Every reader yields ``Document``; ``store`` keeps them as one JSON line each with an offset table,
so that any document is one seek away. Nothing here imports torch.
"""
