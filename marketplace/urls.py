from django.contrib import admin
from django.contrib.sitemaps import views as maps
from django.urls import include, path

from marketplace import calendar, dashboard, earnings, finish_payment, health, order_views, sitemaps, views, webhooks
from marketplace.privacy.views import close_account, download, your_data

handler500 = "marketplace.unavailable.broken"

urlpatterns = [
    path("", views.home, name="home"),
    path("help/milestones/", views.help_milestones, name="help"),
    path("orders/", views.bought, name="bought"),
    path("sales/", views.sold, name="sold"),
    path("selling/", dashboard.dashboard, name="selling"),
    path("orders/<slug:number>/", order_views.order_page, name="order"),
    path("orders/<slug:number>/changes/", order_views.order_changes, name="order_changes"),
    path("orders/<slug:number>/activity/", order_views.order_activity, name="order_activity"),
    path("orders/<slug:number>/calendar.ics", calendar.order_calendar, name="calendar_order"),
    path("calendar/<slug:token>.ics", calendar.feed, name="calendar_feed"),
    path("earnings/", earnings.earnings, name="earnings"),
    path("profile/data/", your_data, name="your_data"),
    path("profile/data/download/", download, name="download_your_data"),
    path("profile/close/", close_account, name="close_account"),
    path("payments/<path:key>/finish/", finish_payment.finish_payment, name="finish_payment"),
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    path("robots.txt", sitemaps.robots, name="robots"),
    path("sitemap.xml", maps.index, {"sitemaps": sitemaps.SITEMAPS, "sitemap_url_name": "sitemap_of"}, name="sitemap"),
    path("sitemap-<section>.xml", maps.sitemap, {"sitemaps": sitemaps.SITEMAPS}, name="sitemap_of"),
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
