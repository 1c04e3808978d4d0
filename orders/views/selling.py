"""The seller's buttons."""

from orders.views.acting import page_of
from orders.views.buttons import BUTTONS

deliver = page_of(BUTTONS["deliver"])
grant_revisions = page_of(BUTTONS["grant_revisions"])
withdraw = page_of(BUTTONS["withdraw"])
