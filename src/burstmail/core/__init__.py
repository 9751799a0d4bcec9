"""The core decides: pure machines, told what time it is. No clock, no I/O, no threads, no randomness."""
