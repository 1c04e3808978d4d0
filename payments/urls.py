from django.urls import path

from .views import cards, documents, payouts, sandbox, sandbox_bank, statements

app_name = "payments"

urlpatterns = [
    path("cards/", cards.cards, name="cards"),
    path("cards/<int:pk>/remove/", cards.forget_card, name="forget_card"),
    path("earnings/bank/", payouts.connect_bank, name="connect_bank"),
    path("earnings/withdraw/<slug:currency>/", payouts.withdraw, name="withdraw"),
    path("earnings/withdrawals/<int:pk>/cancel/", payouts.cancel_withdrawal, name="cancel_withdrawal"),
    path("earnings/debt/<slug:currency>/", payouts.pay_debt, name="pay_debt"),
    path("earnings/statements/", statements.statements, name="statements"),
    path("earnings/statements/<int:year>/", statements.statement, name="statement"),
    path("earnings/statements/<int:year>.pdf", statements.statement_as_pdf, name="statement_as_pdf"),
    path("earnings/statements/<int:year>.csv", statements.statement_csv, name="statement_csv"),
    path("documents/", documents.documents, name="documents"),
    path("documents.csv", documents.documents_csv, name="documents_csv"),
    path("documents/<slug:number>/", documents.document, name="document"),
    path("documents/<slug:number>.pdf", documents.document_as_pdf, name="document_as_pdf"),
    path("sandbox/authenticate/<uuid:charge_id>/", sandbox.sandbox_authenticate, name="sandbox_authenticate"),
    path("sandbox/bank/<uuid:account_id>/", sandbox_bank.sandbox_bank_page, name="sandbox_bank"),
]
