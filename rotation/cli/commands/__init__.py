"""The commands: their arguments, options and output.

Imports ``clients`` and the command line's own modules; commands do not import each other. Start
reading at ``status``, the simplest.
"""
