from django.urls import path

from .views import payouts, sandbox, sandbox_bank

app_name = "payments"

urlpatterns = [
    path("earnings/bank/", payouts.connect_bank, name="connect_bank"),
    path("earnings/withdraw/<slug:currency>/", payouts.withdraw, name="withdraw"),
    path("earnings/withdrawals/<int:pk>/cancel/", payouts.cancel_withdrawal, name="cancel_withdrawal"),
    path("earnings/debt/<slug:currency>/", payouts.pay_debt, name="pay_debt"),
    path("sandbox/authenticate/<uuid:charge_id>/", sandbox.sandbox_authenticate, name="sandbox_authenticate"),
    path("sandbox/bank/<uuid:account_id>/", sandbox_bank.sandbox_bank_page, name="sandbox_bank"),
]
