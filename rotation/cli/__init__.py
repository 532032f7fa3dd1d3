"""The operator's command line, ``keyrotation``. Not deployed; needs the extra ``cli``.

May import every package below it; nothing imports it. Start reading at ``app``, the table of
commands. Each module of ``commands`` holds one command or a few that belong together; ``clients``
call the API over HTTP or run its routes in this process, with the same JSON either way.
"""
