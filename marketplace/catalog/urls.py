from django.urls import path, re_path

from marketplace.catalog import selling, views

app_name = "catalog"
urlpatterns = [
    path("gigs/", views.browse, name="browse"),
    path("search/suggestions/", views.suggest, name="suggestions"),
    path("gigs/<slug:slug>/", views.gig, name="gig"),
    path("sellers/<slug:handle>/", views.seller, name="seller"),
    re_path(r"^covers/(?P<name>[0-9a-f]{32}\.webp)$", views.cover, name="cover"),
    path("selling/gigs/", selling.my_gigs, name="my_gigs"),
    path("selling/gigs/new/", selling.new_gig, name="new_gig"),
    path("selling/gigs/<slug:slug>/edit/", selling.edit_gig, name="edit_gig"),
    path("selling/gigs/<slug:slug>/publish/", selling.publish, name="publish"),
    path("selling/gigs/<slug:slug>/pause/", selling.pause, name="pause"),
    path("selling/gigs/<slug:slug>/archive/", selling.archive, name="archive"),
]
