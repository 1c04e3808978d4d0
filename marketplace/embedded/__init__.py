"""The private servers of a machine that has none, and the processes of the two commands.

Nothing here imports Django: these modules run before its settings can be read.
"""
