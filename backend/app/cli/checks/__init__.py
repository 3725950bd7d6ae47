"""The checks of ``mistudio doctor``."""
