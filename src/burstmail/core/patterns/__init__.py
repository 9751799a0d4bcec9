"""Lines -> Patterns: what varies in lines is masked by its form, then by comparing what is left; all lines count."""
