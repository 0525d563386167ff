"""The product's addresses, and beside them those of the idiomatic version."""

from django.urls import path

from config.urls import *  # noqa: F403
from config.urls import urlpatterns as product_patterns
from tests.bench import idiomatic

urlpatterns = [
    path("idiomatic/sites/tree", idiomatic.SiteTreeView.as_view()),
    path("idiomatic/operators/tree", idiomatic.OperatorTreeView.as_view()),
    *product_patterns,
]
