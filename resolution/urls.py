from django.urls import path

from resolution import views

app_name = "resolution"

urlpatterns = [
    path("orders/<slug:number>/cases/", views.cases, name="open"),
    path("orders/<slug:number>/cases/<slug:kind>/", views.open_case, name="open_kind"),
    path("cases/<slug:number>/", views.case, name="case"),
    path("cases/<slug:number>/accept/", views.accept, name="accept"),
    path("cases/<slug:number>/decline/", views.decline, name="decline"),
    path("cases/<slug:number>/withdraw/", views.withdraw, name="withdraw"),
    path("cases/<slug:number>/escalate/", views.escalate, name="escalate"),
    path("cases/<slug:number>/messages/", views.write, name="write"),
]
