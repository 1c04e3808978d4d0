"""Data sets of many orders that keep every promise.

Each kind of order is played once through the site's own services (`plots`), and its rows are copied by set-based SQL
(`copying`), moved in time, to other people and to numbers of their own. So a copy has all that an order has, whatever
tables and columns there are by now, and no rule is written a second time here. The proof is asked of every set.
"""

from .sets import BrokenSet, add_due, data_set, scratch

__all__ = ["BrokenSet", "add_due", "data_set", "scratch"]
