"""The machine-learning core; imports nothing else of ``app`` and runs in a bare notebook."""
