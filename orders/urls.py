from django.urls import path

from orders.views import buying, conversation, deliveries, files, offers, parts, selling

app_name = "orders"

urlpatterns = [
    path("gigs/<slug:slug>/order/", buying.order_gig, name="order_gig"),
    path("gigs/<slug:slug>/ask/", offers.ask_offer, name="ask_offer"),
    path("offers/new/", offers.send_offer, name="send_offer"),
    path("orders/<slug:number>/place/", buying.place, name="place"),
    path("orders/<slug:number>/decline/", buying.decline, name="decline"),
    path("orders/<slug:number>/stop/", buying.stop, name="stop"),
    path("orders/<slug:number>/again/", buying.order_again, name="order_again"),
    path("orders/<slug:number>/offer/", offers.edit_offer, name="edit_offer"),
    path("orders/<slug:number>/withdraw/", selling.withdraw, name="withdraw"),
    path("orders/<slug:number>/messages/", conversation.send_message, name="send_message"),
    path("orders/<slug:number>/messages/read/", conversation.mark_read, name="mark_read"),
    path("orders/<slug:number>/would/<slug:name>/", parts.would, name="would"),
    path("orders/<slug:number>/files/<int:pk>/", files.file, name="file"),
    path("orders/<slug:number>/files/<int:pk>/view/", deliveries.view_file, name="view_file"),
    path("orders/<slug:number>/files/<int:pk>/inline/", files.inline, name="inline"),
    path("orders/<slug:number>/files/<int:pk>/thumbnail/", files.thumbnail, name="thumbnail"),
    path("orders/<slug:number>/files/<int:pk>/preview/", files.preview, name="preview"),
    path("orders/<slug:number>/milestones/<int:pk>/compare/", deliveries.compare, name="compare"),
    path("orders/<slug:number>/milestones/<int:pk>/start/", buying.start, name="start"),
    path("orders/<slug:number>/milestones/<int:pk>/pay/", buying.pay, name="pay"),
    path("orders/<slug:number>/milestones/<int:pk>/abandon/", buying.abandon, name="abandon"),
    path("orders/<slug:number>/milestones/<int:pk>/accept/", buying.accept, name="accept"),
    path("orders/<slug:number>/milestones/<int:pk>/continue/", buying.accept_and_continue, name="accept_and_continue"),
    path("orders/<slug:number>/milestones/<int:pk>/revise/", buying.request_revision, name="request_revision"),
    path("orders/<slug:number>/milestones/<int:pk>/deliver/", selling.deliver, name="deliver"),
    path("orders/<slug:number>/milestones/<int:pk>/grant/", selling.grant_revisions, name="grant_revisions"),
]
