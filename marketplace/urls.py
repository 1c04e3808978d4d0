from django.contrib import admin
from django.urls import include, path

from marketplace import calendar, earnings, finish_payment, health, views, webhooks

urlpatterns = [
    path("", views.home, name="home"),
    path("help/milestones/", views.help_milestones, name="help"),
    path("orders/", views.bought, name="bought"),
    path("sales/", views.sold, name="sold"),
    path("orders/<slug:number>/", views.order_page, name="order"),
    path("orders/<slug:number>/calendar.ics", calendar.order_calendar, name="calendar_order"),
    path("calendar/<slug:token>.ics", calendar.feed, name="calendar_feed"),
    path("earnings/", earnings.earnings, name="earnings"),
    path("payments/<path:key>/finish/", finish_payment.finish_payment, name="finish_payment"),
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("admin/", admin.site.urls),
    path("", include("marketplace.accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("notifications/", include("marketplace.notifications.urls")),
    path("", include("marketplace.catalog.urls")),
    path("", include("orders.urls")),
    path("", include("payments.urls")),
    path("", include("resolution.urls")),
    path("", include("marketplace.reviews.urls")),
]
