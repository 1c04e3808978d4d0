from django.urls import path

from resolution import views

app_name = "resolution"

urlpatterns = [
    path("orders/<str:number>/cases/", views.open_case, name="open"),
    path("cases/<str:number>/", views.case, name="case"),
    path("cases/<str:number>/accept/", views.accept, name="accept"),
    path("cases/<str:number>/decline/", views.decline, name="decline"),
    path("cases/<str:number>/withdraw/", views.withdraw, name="withdraw"),
    path("cases/<str:number>/escalate/", views.escalate, name="escalate"),
]
