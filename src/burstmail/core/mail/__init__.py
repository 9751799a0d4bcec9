"""Burst -> the mail: what it says (report), how that looks (letter, page), and how it travels (mime)."""
