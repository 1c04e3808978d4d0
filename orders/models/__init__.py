from orders.models.attachment import Attachment
from orders.models.conversation import Delivery, Message, ReadMark
from orders.models.history import Event, Pause, Reminder
from orders.models.milestone import Milestone
from orders.models.offer import OfferRequest
from orders.models.order import Order

__all__ = [
    "Attachment",
    "Delivery",
    "Event",
    "Message",
    "Milestone",
    "OfferRequest",
    "Order",
    "Pause",
    "ReadMark",
    "Reminder",
]
