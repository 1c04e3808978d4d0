from django.urls import path

from marketplace.accounts import views

app_name = "accounts"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("accounts/2fa/totp/activate/", views.set_up_second_factor),  # instead of allauth's own view
]
