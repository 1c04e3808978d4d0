from django.urls import path

from marketplace.reviews import views

app_name = "reviews"

urlpatterns = [path("orders/<slug:number>/review/", views.review, name="review")]
