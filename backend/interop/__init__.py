"""Checks against other libraries, in their own environment (``make interop``)."""
