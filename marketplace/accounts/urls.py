from django.urls import path

from marketplace.accounts import languages, views

app_name = "accounts"
urlpatterns = [
    path("profile/", views.profile, name="profile"),
    path("profile/devices/", views.devices, name="devices"),
    path("profile/sign-out-everywhere/", views.sign_out_everywhere, name="sign_out_everywhere"),
    path("language/", languages.choose_language, name="choose_language"),
    path("accounts/2fa/totp/activate/", views.set_up_second_factor),  # instead of allauth's own view
]
