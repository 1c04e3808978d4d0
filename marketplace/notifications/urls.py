from django.urls import path

from marketplace.notifications import preference_views, views

app_name = "notifications"
urlpatterns = [
    path("", views.notice_list, name="list"),
    path("read/", views.read_all, name="read_all"),
    path("<int:pk>/read/", views.read, name="read"),
    path("preferences/", preference_views.preferences, name="preferences"),
    path("preferences/calendar/", preference_views.calendar, name="calendar"),
    path("stop/<str:token>/", preference_views.stop, name="stop"),
]
