"""The proofs of the ledger in the admin, and the button that makes one now."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from kombu.exceptions import OperationalError

from marketplace.models import LedgerProof
from marketplace.proof.recording import prove_ledger
from marketplace.tasks import prove_ledger as prove_later
from payments.admin.base import ReadOnlyAdmin
from payments.models import Transfer

# So many transfers are proved in seconds; of more a request may not wait for the end.
AT_ONCE = 200_000


@admin.register(LedgerProof)
class LedgerProofAdmin(ReadOnlyAdmin):
    list_display = ["proved_at", "holds", "rows", "took", "__str__"]
    list_filter = ["holds"]
    change_form_template = "admin/marketplace/ledgerproof/page.html"
    change_list_template = "admin/marketplace/ledgerproof/list.html"

    @admin.display(description=_("Seconds"), ordering="seconds")
    def took(self, proof: LedgerProof) -> str:
        return f"{proof.seconds:.2f}"

    def get_urls(self) -> list[URLPattern]:
        now = path("now/", self.admin_site.admin_view(require_POST(self.prove_now)), name="prove_ledger_now")
        return [now, *super().get_urls()]

    def prove_now(self, request: HttpRequest) -> HttpResponse:
        """Prove the ledger now, or leave it to a worker if that takes long; seen by whoever may see proofs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if Transfer.objects.order_by()[AT_ONCE : AT_ONCE + 1].exists():
            return self._prove_later(request)
        proof = prove_ledger()
        self.message_user(
            request, gettext("{proof}.").format(proof=proof), messages.SUCCESS if proof.holds else messages.ERROR
        )
        return HttpResponseRedirect(reverse("admin:marketplace_ledgerproof_change", args=[proof.pk]))

    def _prove_later(self, request: HttpRequest) -> HttpResponse:
        try:
            prove_later.apply_async(retry=False)
        except OperationalError:
            said = gettext("The queue cannot be reached: nothing was started. Try later.")
            self.message_user(request, said, messages.ERROR)
        else:
            said = gettext("The proof is being made; it appears here when it is done.")
            self.message_user(request, said, messages.INFO)
        return HttpResponseRedirect(reverse("admin:marketplace_ledgerproof_changelist"))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        proof = self.get_object(request, object_id)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "proof": proof})
