"""The seller's buttons."""

from orders import services
from orders.forms import DeliverForm, GrantForm, VersionedForm
from orders.views.acting import Button, page_of

deliver = page_of(Button("deliver", services.deliver, DeliverForm, "Delivered. The buyer's review window begins now."))
grant_revisions = page_of(
    Button("grant_revisions", services.grant_revisions, GrantForm, "The extra revisions are granted.")
)
withdraw = page_of(Button("withdraw", services.withdraw_offer, VersionedForm, "You withdrew the offer.", danger=True))
