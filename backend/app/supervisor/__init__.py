"""The native installation: embedded servers and the processes that run beside them."""
