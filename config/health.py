"""Two questions for whoever keeps the server running: is it alive, and is it ready to work?"""

import logging

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from config.schema_check import schema_differences

logger = logging.getLogger(__name__)


@csrf_exempt
@require_safe
def alive(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, has every migration and its tables fit; 503 otherwise, with the reason."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        differences = [] if missing else schema_differences()
    except DatabaseError:
        return _unavailable("The database does not answer.")
    if missing:
        return _unavailable(f"{len(missing)} migrations are missing: run `manage.py migrate`.")
    if differences:
        logger.error("The tables differ from the models: %s", "; ".join(map(str, differences)))
        return _unavailable(
            f"{len(differences)} differences between the tables and the migrations, which this database has all: "
            f"{differences[0]}. Restore a backup, or migrate a new database and import into it; the log names them all."
        )
    return JsonResponse({"status": "ok"})


def _unavailable(reason: str) -> JsonResponse:
    return JsonResponse({"status": "unavailable", "reason": reason}, status=503)
