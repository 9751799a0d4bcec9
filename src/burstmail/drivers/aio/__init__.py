"""The driver for programs with an event loop. asyncio is imported here, and nowhere else in the package."""
