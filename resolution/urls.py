from django.urls import path

from resolution import views

app_name = "resolution"

urlpatterns = [
    path("orders/<slug:number>/cases/", views.open_case, name="open"),
    path("cases/<slug:number>/", views.case, name="case"),
    path("cases/<slug:number>/accept/", views.accept, name="accept"),
    path("cases/<slug:number>/decline/", views.decline, name="decline"),
    path("cases/<slug:number>/withdraw/", views.withdraw, name="withdraw"),
    path("cases/<slug:number>/escalate/", views.escalate, name="escalate"),
]
