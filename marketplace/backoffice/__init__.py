"""Customer Support in Django admin: the pages that read across storeys.

Statuses and money are edited nowhere; every button runs a service that buyers and sellers are served by as well.
"""
