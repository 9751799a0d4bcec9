"""Drivers wait: they give the pure core a clock and carry out its attempts."""
