from django.urls import path

from . import views

app_name = "payments"

urlpatterns = [
    path("earnings/", views.earnings, name="earnings"),
    path("sandbox/authenticate/<uuid:charge_id>/", views.sandbox_authenticate, name="sandbox_authenticate"),
]
