"""What the home of admin shows; Django's own view draws the page. `{% load backoffice %}`."""

from django import template
from django.template.context import Context

from marketplace import clock
from marketplace.backoffice.home import Panel, panels
from marketplace.backoffice.month import charts
from marketplace.templatetags.charts import Chart

register = template.Library()


@register.simple_tag(takes_context=True)
def figures_of_today(context: Context) -> list[Panel]:
    return panels(context["request"].user, clock.now())


@register.simple_tag(takes_context=True)
def charts_of_the_month(context: Context) -> list[Chart]:
    return charts(context["request"].user, clock.now())
