"""The WSGI entry point that a production server loads."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class TolerantRequest(WSGIRequest):
    """A request whose Content-Type may be nonsense: Django fails on some before anything could answer."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params = "", {}


class TolerantHandler(WSGIHandler):
    request_class = TolerantRequest


django.setup(set_prefix=False)
application = TolerantHandler()
