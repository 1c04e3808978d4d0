"""The proof of the ledger: every promise about money and orders, asked of the tables in SQL (M11).

Written from the promises, not from the code: it speaks of tables and columns only and calls no verb, so that it
cannot repeat a mistake that the code makes.
"""

from .proving import BrokenPromise, Proof, Result, prove

__all__ = ["BrokenPromise", "Proof", "Result", "prove"]
