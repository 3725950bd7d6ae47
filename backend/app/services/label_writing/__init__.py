"""Labels written by a language model, of this machine only and only when asked for.

The writer is a model that was imported, or a server with OpenAI's protocol on this machine. What a
person wrote is another column and is never touched.
"""
