"""Documentation written from the code (``make gen``), and a check of the built site."""
