"""The console program ``mistudio``."""
