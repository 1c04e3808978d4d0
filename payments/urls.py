from django.urls import path

from .views import earnings, sandbox

app_name = "payments"

urlpatterns = [
    path("earnings/", earnings.earnings, name="earnings"),
    path("sandbox/authenticate/<uuid:charge_id>/", sandbox.sandbox_authenticate, name="sandbox_authenticate"),
]
