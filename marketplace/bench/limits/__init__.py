"""What the machine could do at all: the same work as ours, written as plain SQL, and the naive way beside it.

Each limit makes the same rows as our own code; a test compares whole tables after both. They know tables and columns
only, hold no guards, and are written for measuring: nothing of the site calls them.
"""
