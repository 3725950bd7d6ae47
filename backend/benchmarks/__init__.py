"""Measurements of this machine: each prints own figures beside a plain version, in one run."""
