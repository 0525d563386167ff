from django.apps import AppConfig


class OperatorsConfig(AppConfig):
    name = "operators"

    def ready(self) -> None:
        from operators import idempotency  # noqa: F401  (registers itself with the API)
