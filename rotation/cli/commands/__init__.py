"""The commands: their arguments, options and output.

May import ``clients`` and the command line's other modules, but not each other. Start reading at
``status``, one of the simplest.
"""
