"""Names and shapes that cross a process border: stacks, container, Lambda and tests import them from here.

Standard library only, no I/O, no policy. The image and the function asset each carry a copy made at build time.
"""
