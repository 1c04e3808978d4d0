"""What a measure knows of the data that it measures in."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class DataSet:
    """A blessed data set: the default connection is to its database while measures run.

    `at` is its present: nothing is due at `at`, so measures run inside `clock.at(data.at)`, in every thread that they
    start. The people are ids of users: `seller` and `buyer` have a usual number of orders, `big_seller` and
    `big_buyer` thousands (as far as there are as many orders); `support`, `finance` and `admin` are staff.
    """

    database: str
    orders: int
    at: datetime
    seller: int
    buyer: int
    big_seller: int
    big_buyer: int
    support: int
    finance: int
    admin: int
    small: bool = False
