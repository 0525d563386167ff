"""What chargers report of themselves, coming in."""

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.bodies import read_items
from api.idempotency import Idempotency
from api.schema import error_response
from api.views import ApiView
from chargers.serializers import StatusOutcomeSerializer, StatusReportSerializer
from chargers.status import StatusReport, apply_reports

# How many reports one request may bring.
MOST_REPORTS = 1000


class StatusReportsView(ApiView):
    idempotency = Idempotency(is_one_transaction=True)

    @extend_schema(
        operation_id="postStatusReports",
        summary="Report statuses of chargers and sockets",
        description=(
            f"One report or a list of at most {MOST_REPORTS}. A report that is no newer than what is known changes "
            "nothing, nor does one of a moment more than five minutes ahead, or of an unknown charger or socket; the "
            "outcome of each says so. A body that is not as described changes nothing at all."
        ),
        request=PolymorphicProxySerializer(
            "StatusReports",
            [StatusReportSerializer, StatusReportSerializer(many=True)],
            resource_type_field_name=None,
            many=False,
        ),
        responses={200: StatusOutcomeSerializer(many=True), 403: error_response("The key may only read")},
        tags=["Chargers"],
    )
    def post(self, request: Request) -> Response:
        items = read_items(StatusReportSerializer, request.data, MOST_REPORTS)
        reports = [StatusReport(**item) for item in items]
        outcomes = apply_reports(self.caller, reports)
        answers = [
            {"index": index, "chargerId": report.charger_id, "socketId": report.socket_number, "outcome": outcome}
            for index, (report, outcome) in enumerate(zip(reports, outcomes, strict=True))
        ]
        return Response(StatusOutcomeSerializer(answers, many=True).data)
